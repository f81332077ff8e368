"""Compiled queries and keyset pages, against the real database."""

from typing import Any
from uuid import UUID

import pytest
from pydantic import BaseModel
from sqlalchemy import ARRAY, Uuid, any_, bindparam, select, update
from sqlalchemy.orm import aliased

from app.core.errors import Invalid
from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.paging import Page, PageRequest
from app.core.query import PageQuery, Query
from app.users.models import User
from tests.people import People, Person, queries


class Names(BaseModel):
    username: str
    display: str


class Card(BaseModel):
    id: UUID
    names: Names
    links: list[dict[str, Any]]
    other: Names | None


class Named(BaseModel):
    id: UUID
    username: str


other = aliased(User)
CARD = Query(
    select(
        User.id,
        User.username.label("names__username"),
        User.display_name.label("names__display"),
        User.links,
        other.username.label("other__username"),
        other.display_name.label("other__display"),
    )
    .outerjoin(other, other.id == bindparam("other"))
    .where(User.id == bindparam("person"), User.role == "user"),
    into=Card,
)
MANY = Query(select(User.id, User.username).where(User.id == any_(bindparam("ids", type_=ARRAY(Uuid)))), into=Named)
NEWEST = PageQuery(
    select(User.id, User.username).where(User.location == bindparam("place")), into=Named, order=[User.id]
)
BY_COUNT = PageQuery(
    select(User.id, User.username).where(User.location == bindparam("place")),
    into=Named,
    order=[User.follower_count, User.id],
)
BY_NAME = PageQuery(
    select(User.id, User.username).where(User.location == bindparam("place")),
    into=Named,
    order=[User.username, User.id],
    ascending=True,
)


async def test_labels_nest_and_a_missing_object_is_none(infra: Infra, people: People) -> None:
    ana, ben = await people.make("ana", links=[{"label": "x", "url": "y"}]), await people.make("ben")
    async with queries(infra) as ran:
        card = await CARD.first(infra.db.reader, person=ana.id, other=ben.id)
    assert ran == [1]
    assert card is not None
    assert card.names == Names(username=ana.username, display="Ana")
    assert card.links == [{"label": "x", "url": "y"}]
    assert card.other == Names(username=ben.username, display="Ben")
    alone = await CARD.first(infra.db.reader, person=ana.id, other=None)
    assert alone is not None
    assert alone.other is None


async def test_no_row_is_none_and_lists_take_arrays(infra: Infra, people: People) -> None:
    assert await CARD.first(infra.db.reader, person=uuid7(), other=None) is None
    made = [await people.make() for _ in range(3)]
    found = await MANY.all(infra.db.reader, ids=[person.id for person in made])
    assert {person.id for person in found} == {person.id for person in made}


@pytest.mark.parametrize("parameters", [{}, {"person": None}, {"person": None, "other": None, "more": 1}])
async def test_wrong_parameters_are_refused(infra: Infra, parameters: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="this query takes"):
        await CARD.first(infra.db.reader, **parameters)


@pytest.mark.parametrize(
    "columns", [[User.id], [User.id, User.username, User.bio], [User.id, User.username.label('username": 1}')]]
)
def test_labels_that_do_not_fit_the_schema_are_refused(columns: list[Any]) -> None:
    with pytest.raises(TypeError, match="Named has other fields"):
        Query(select(*columns), into=Named)


async def test_a_sheet_is_the_page_in_the_order_of_the_schema(infra: Infra, people: People) -> None:
    made = await people.make()
    backwards = PageQuery(
        select(User.username, User.id).where(User.id == bindparam("id", type_=Uuid)), into=Named, order=[User.id]
    )
    page = await backwards.page(infra.db.reader, PageRequest(), id=made.id)
    sheet = await backwards.sheet(infra.db.reader, PageRequest(), id=made.id)
    assert sheet.encode() == page.model_dump_json().encode()
    assert list(sheet.items[0]) == ["id", "username"]


async def test_a_query_in_a_transaction_sees_what_it_wrote_and_nobody_else_does(infra: Infra, people: People) -> None:
    ana = await people.make("ana")
    async with infra.db.write() as db:
        await db.execute(update(User).where(User.id == ana.id).values(display_name="Changed"))
        inside = await CARD.first(db, person=ana.id, other=None)
        outside = await CARD.first(infra.db.reader, person=ana.id, other=None)
    assert inside is not None
    assert outside is not None
    assert (inside.names.display, outside.names.display) == ("Changed", "Ana")


async def test_a_query_first_in_a_transaction_is_rolled_back_with_it(infra: Infra) -> None:
    identifier = uuid7()
    sql = "INSERT INTO users (id, username, username_key, display_name) VALUES ($1, $2, $2, $2)"

    async def fail() -> None:
        async with infra.db.write() as db:
            await db.records(sql, [identifier, identifier.hex])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await MANY.all(infra.db.reader, ids=[identifier]) == []


async def test_only_the_database_commits(infra: Infra) -> None:
    with pytest.raises(RuntimeError, match="only Database"):
        async with infra.db.write() as db:
            await db.commit()


def request(cursor: str | None = None, *, limit: int = 3, scope: str = "/list?") -> PageRequest:
    return PageRequest(limit=limit, cursor=cursor, scope=scope, secret=b"secret", headers={})


async def crowd(people: People, size: int) -> tuple[str, list[Person]]:
    place = uuid7().hex
    return place, [await people.make(location=place, follower_count=number // 2) for number in range(size)]


@pytest.mark.parametrize("query", [NEWEST, BY_COUNT, BY_NAME], ids=["id", "count", "name"])
async def test_pages_neither_repeat_nor_skip(infra: Infra, people: People, query: PageQuery[Named]) -> None:
    place, made = await crowd(people, 8)
    ordered = sorted(made, key=lambda person: person.username) if query is BY_NAME else made[::-1]
    expected = [person.id for person in ordered]
    seen: list[UUID] = []
    cursor, sizes = None, []
    while True:
        page: Page[Named] = await query.page(infra.db.reader, request(cursor), place=place)
        seen += [item.id for item in page.items]
        sizes.append(len(page.items))
        cursor = page.next_cursor
        if cursor is None:
            break
        await people.make("zz_late" if query is not BY_NAME else "aa_early", location=place, follower_count=99)
    assert seen == expected
    assert sizes == [3, 3, 2]


async def test_a_page_is_one_statement_and_links_to_the_next(infra: Infra, people: People) -> None:
    place, _ = await crowd(people, 4)
    asked = request(scope="/api/v1/things?sort=new")
    async with queries(infra) as ran:
        page = await NEWEST.page(infra.db.reader, asked, place=place)
    assert ran == [1]
    assert page.next_cursor
    assert asked._headers["link"] == (f'</api/v1/things?sort=new&limit=3&cursor={page.next_cursor}>; rel="next"')


@pytest.mark.parametrize("change", ["other list", "bit", "garbage", "wrong key"])
async def test_a_foreign_or_forged_cursor_is_refused(infra: Infra, people: People, change: str) -> None:
    place, _ = await crowd(people, 4)
    cursor = (await NEWEST.page(infra.db.reader, request(), place=place)).next_cursor
    assert cursor
    asked = {
        "other list": request(cursor, scope="/other?"),
        "bit": request(cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]),
        "garbage": request("no cursor at all"),
        "wrong key": PageRequest(limit=3, cursor=cursor, scope="/list?", secret=b"another"),
    }[change]
    with pytest.raises(Invalid) as caught:
        await NEWEST.page(infra.db.reader, asked, place=place)
    assert caught.value.faults[0].pointer == "/query/cursor"
