"""Recordings as they are heard: all of it, in parts, by a signed address or with a token."""

import random
import re
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from app.catalog.media import PERIOD, check_media_url, media_url
from app.core.infra import Infra
from app.core.job_runner import drain
from app.uploads.ranges import Span, Unsatisfiable, read_ranges
from tests.catalog.factories import add_track
from tests.people import People, Person, queries
from tests.uploads.factories import Body, track_of, upload, wav

ROOT = "http://soundscore.test"


@pytest.fixture(scope="module")
async def ana(people: People) -> Person:
    """Whose recording it is."""
    return await people.make("ana")


@pytest.fixture(scope="module")
def data() -> bytes:
    """What was uploaded."""
    return wav(4.0, rate=16000)


@pytest.fixture(scope="module")
async def track(app: FastAPI, ana: Person, data: bytes) -> Body:
    """The track that it became."""
    return await track_of(app, ana, data=data, title='Prélude "ré"', artist="Élan", visibility="private")


@pytest.fixture(scope="module")
async def url(ana: Person, track: Body) -> str:
    """Where it is heard."""
    address: str = (await ana.get(f"/tracks/{track['id']}")).json()["media_url"]
    return ROOT + address


async def test_a_signed_address_needs_no_token(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    answer = await client.get(url)
    assert (answer.status_code, answer.content == data) == (200, True)
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["cache-control"] == "private, max-age=21600"
    head = await client.head(url)
    same = {name: answer.headers[name] for name in ("content-type", "content-length", "etag", "last-modified")}
    assert (head.status_code, head.content) == (200, b"")
    assert {name: head.headers[name] for name in same} == same


async def test_whoever_may_hear_it_needs_no_address(
    people: People, client: httpx.AsyncClient, ana: Person, track: Body, data: bytes
) -> None:
    path = f"/tracks/{track['id']}/stream"
    answer = await ana.get(path)
    assert (answer.status_code, answer.content == data) == (200, True)
    assert answer.headers["cache-control"] == "private, no-cache"
    assert (await ana.head(path)).headers["content-length"] == str(len(data))
    for other in (client, await people.make("ben")):
        assert (await other.get(path)).status_code == 404
        assert (await other.head(path)).status_code == 404


async def test_it_costs_one_statement(client: httpx.AsyncClient, url: str, infra: Infra) -> None:
    async with queries(infra) as ran:
        await client.get(url, headers={"Range": "bytes=5-"})
    assert ran == [1]


async def test_an_address_that_was_changed_or_is_old_is_refused(client: httpx.AsyncClient, url: str) -> None:
    expires = int(url.partition("expires=")[2].partition("&")[0])
    for other in (
        url.replace(f"expires={expires}", f"expires={expires + PERIOD}"),
        url[:-1] + ("A" if url[-1] != "A" else "B"),
        url.replace(url.partition("audio/")[2][:36], str(uuid4())),
        url.replace("signature=", "signature=%00é"),
    ):
        answer = await client.get(other)
        assert (answer.status_code, answer.json()["code"]) == (403, "media_link_invalid")
    assert (await client.get(url.partition("&")[0])).status_code == 422


def test_addresses_are_the_same_for_everybody_for_hours() -> None:
    secret, track_id, now = b"s" * 32, UUID(int=7), 1_800_000_000 // PERIOD * PERIOD
    assert len({media_url(secret, track_id, "public", now=now + late) for late in (0, 1, PERIOD - 1)}) == 1
    address = media_url(secret, track_id, "public", now=now)
    assert address != media_url(secret, track_id, "public", now=now + PERIOD)
    expires, signature = re.findall(r"expires=(\d+)&signature=(.+)", address)[0]
    said = {"expires": int(expires), "signature": signature}
    assert check_media_url(secret, track_id, "public", **said, now=now + 2 * PERIOD - 1)
    for wrong in (
        check_media_url(secret, track_id, "public", **said, now=now + 2 * PERIOD),
        check_media_url(secret, track_id, "private", **said, now=now),
        check_media_url(b"t" * 32, track_id, "public", **said, now=now),
        check_media_url(secret, UUID(int=8), "public", **said, now=now),
    ):
        assert not wrong


async def test_an_address_dies_when_the_track_is_for_others(app: FastAPI, people: People) -> None:
    ben = await people.make("ben")
    done = await upload(app, ben, visibility="public")
    url = ROOT + (await ben.get(f"/tracks/{done['track']['id']}")).json()["media_url"]
    assert (await ben.get(url)).status_code == 200
    assert (await ben.patch(f"/uploads/{done['id']}", json={"visibility": "private"})).status_code == 200
    assert (await ben.get(url)).status_code == 403


async def test_a_thousand_random_ranges_are_the_slice(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    dice, size = random.Random(20), len(data)
    for _ in range(1000):
        start = dice.randrange(size)
        end = dice.choice([start, dice.randrange(start, size), size - 1, size + 500])
        header, wanted = dice.choice(
            [
                (f"bytes={start}-{end}", data[start : end + 1]),
                (f"bytes={start}-", data[start:]),
                (f"bytes=-{size - start}", data[start:]),
            ]
        )
        answer = await client.get(url, headers={"Range": header})
        assert answer.status_code == 206, header
        assert answer.content == wanted, header
        first = size - len(wanted) if header.startswith("bytes=-") else start
        assert answer.headers["content-range"] == f"bytes {first}-{first + len(wanted) - 1}/{size}"
        assert answer.headers["content-length"] == str(len(wanted))


async def test_many_parts_come_in_one_answer(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    dice, size = random.Random(7), len(data)
    for _ in range(50):
        cuts = sorted(dice.sample(range(0, size, 5), 2 * dice.randint(2, 16)))
        spans = list(zip(cuts[::2], cuts[1::2], strict=True))
        shuffled = dice.sample(spans, len(spans))
        header = "bytes=" + ", ".join(f"{start}-{end - 1}" for start, end in shuffled)
        answer = await client.get(url, headers={"Range": header})
        assert answer.status_code == 206
        assert len(answer.content) == int(answer.headers["content-length"])
        assert parts_of(answer, size) == {(start, data[start:end]) for start, end in spans}
        head = await client.head(url, headers={"Range": header})
        assert (head.status_code, head.content) == (206, b"")
        assert head.headers["content-length"] == answer.headers["content-length"]


def parts_of(answer: httpx.Response, size: int) -> set[tuple[int, bytes]]:
    kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/byteranges"
    before, *parts, end = answer.content.split(f"\r\n--{boundary}".encode())
    assert (before, end) == (b"", b"--\r\n")
    found = set()
    for part in parts:
        head, _, body = part.partition(b"\r\n\r\n")
        assert b"Content-Type: audio/wav" in head
        numbers = re.search(rb"Content-Range: bytes (\d+)-(\d+)/(\d+)", head)
        assert numbers
        start, last, whole = map(int, numbers.groups())
        assert (whole, len(body)) == (size, last - start + 1)
        found.add((start, body))
    return found


async def test_overlapping_parts_are_sent_once(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    answer = await client.get(url, headers={"Range": "bytes=0-99, 50-199, 200-299"})
    assert (answer.status_code, answer.content == data[:300]) == (206, True)
    assert answer.headers["content-range"] == f"bytes 0-299/{len(data)}"


async def test_what_is_not_there_is_416(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    size = len(data)
    for header in (f"bytes={size}-", f"bytes={size + 5}-{size + 9}", "bytes=-0", f"bytes={size}-,-0"):
        answer = await client.get(url, headers={"Range": header})
        assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable"), header
        assert answer.headers["content-range"] == f"bytes */{size}"
    for header in ("bytes=", "lines=0-5", "bytes=5-2", "bytes=a-b", "bytes=0-1-2", "bytes=--5", "0-5", "bytes=1-2;3"):
        answer = await client.get(url, headers={"Range": header})
        expected = 416 if header == "bytes=" else 200
        assert answer.status_code == expected, header


async def test_a_header_with_ten_thousand_ranges_costs_nothing(client: httpx.AsyncClient, url: str) -> None:
    header = "bytes=" + ",".join(f"{at}-{at}" for at in range(0, 20_000, 2))
    await client.get(url, headers={"Range": "bytes=0-0"})
    best = 1.0
    for _ in range(3):
        began = time.perf_counter()
        answer = await client.get(url, headers={"Range": header})
        best = min(best, time.perf_counter() - began)
        assert answer.status_code == 416
    assert best < 0.05
    began = time.perf_counter()
    with pytest.raises(Unsatisfiable):
        read_ranges(header, 10**9)
    assert time.perf_counter() - began < 0.005


async def test_if_range_asks_for_parts_of_what_one_has(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    whole = await client.get(url)
    tag, date = whole.headers["etag"], whole.headers["last-modified"]
    earlier = format_datetime(parsedate_to_datetime(date) - timedelta(seconds=1), usegmt=True)
    for condition, status in ((tag, 206), (date, 206), ('"other"', 200), (f"W/{tag}", 200), (earlier, 200), ("x", 200)):
        answer = await client.get(url, headers={"Range": "bytes=0-9", "If-Range": condition})
        assert (answer.status_code, answer.content) == (status, data[:10] if status == 206 else data), condition
    known = await client.get(url, headers={"If-None-Match": f'"a", {tag}', "Range": "bytes=0-9"})
    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", tag)


async def test_it_can_be_saved_under_its_name(client: httpx.AsyncClient, url: str, data: bytes) -> None:
    answer = await client.get(f"{url}&download=true&format=mp3")
    said = answer.headers["content-disposition"]
    assert said.startswith('attachment; filename="_lan___Pr_lude__r__.wav"; filename*=UTF-8')
    assert said.endswith("%C3%89lan%20-%20Pr%C3%A9lude%20%22r%C3%A9%22.wav")
    assert answer.content == data, "without such a rendition it is the original"
    assert (await client.get(url)).headers["content-disposition"].startswith("inline; ")
    assert (await client.get(f"{url}&format=exe")).status_code == 422


async def test_over_a_real_server_the_bytes_are_the_same(live: str, url: str, data: bytes) -> None:
    async with httpx.AsyncClient() as player:
        address = url.replace(ROOT, live)
        assert (await player.get(address)).content == data
        assert (await player.get(address, headers={"Range": "bytes=1000-"})).content == data[1000:]
        head = await player.head(address)
        assert (head.status_code, head.headers["content-length"]) == (200, str(len(data)))


async def test_a_track_without_a_recording_has_none(people: People, client: httpx.AsyncClient) -> None:
    track = await add_track(await people.make("curator", role="curator"))
    answer = await client.get(f"/tracks/{track['id']}/stream")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_recording")


@pytest.mark.parametrize(
    ("header", "spans"),
    [
        (None, None),
        ("bytes=0-0", [Span(0, 1)]),
        ("Bytes = 5-", [Span(5, 100)]),
        ("bytes=-1000", [Span(0, 100)]),
        ("bytes=90-1000, 0-1", [Span(0, 2), Span(90, 100)]),
        ("bytes=0-1,,  ,3-4", [Span(0, 2), Span(3, 5)]),
        ("bytes=0-1,200-300", [Span(0, 2)]),
        ("bytes=99999999999999999999999-", None),
        ("bytes=٣-", None),
    ],
)
def test_ranges(header: str | None, spans: list[Span] | None) -> None:
    assert read_ranges(header, 100) == spans


async def test_a_play_counts_once_after_half_of_it(app: FastAPI, people: People, infra: Infra) -> None:
    ben, carl = await people.make("ben"), await people.make("carl")
    track = await track_of(app, ben, data=wav(4.0), visibility="public")
    path, began = f"/tracks/{track['id']}/plays", datetime.now(UTC) - timedelta(seconds=5)
    for played, counted in ((1999, False), (2000, True), (4000, True)):
        told = await carl.post(path, json={"started_at": began.isoformat(), "played_ms": played})
        assert (told.status_code, told.json()) == (200, {"counted": counted, "needed_ms": 2000})
    await drain(infra)
    heard = (await carl.get(f"/users/{carl.username}/listens")).json()["items"]
    assert [(listen["track"]["id"], listen["source"]) for listen in heard] == [(track["id"], "stream")]
    for wrong in (
        {"started_at": (datetime.now(UTC) + timedelta(minutes=5)).isoformat(), "played_ms": 0},
        {"started_at": (datetime.now(UTC) - timedelta(days=15)).isoformat(), "played_ms": 0},
        {"started_at": datetime.now(UTC).isoformat(), "played_ms": 60_000},
    ):
        assert (await carl.post(path, json=wrong)).status_code == 422
    secret = await track_of(app, ben, data=wav(4.0))
    told = await carl.post(f"/tracks/{secret['id']}/plays", json={"started_at": began.isoformat(), "played_ms": 4000})
    assert told.status_code == 404
