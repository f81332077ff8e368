"""The whole API against its own OpenAPI document: schemathesis makes up requests and checks the answers."""

import asyncio
import sys
from pathlib import Path

import pytest

from app.core.infra import Infra
from tests.people import People, Person
from tests.reviews.factories import make_album

PROGRAM = Path(sys.executable).parent / "schemathesis"
WITHOUT = "|".join(
    (
        # they end the session that asks, so that everything after them would be 401
        "/auth/logout",
        "/auth/logout-all",
        "/auth/sessions",
        "/auth/change-password",
        "/users/me$",
        # they have no end
        "/notifications/stream",
        "/rooms/stream",
        # without a client id they are 503, which is right here and a failure there
        "/auth/oauth/.+/(login|callback)",
    )
)
# An input can fit its schema and still be wrong: a cursor is signed, an id must exist, a link in a mail expires.
NOT_CHECKED = "positive_data_acceptance"


async def run(live: str, *options: str, person: Person | None) -> None:
    """Fails with Schemathesis' own words where it finds anything."""
    signed_in = ["-H", f"Authorization: Bearer {person.token}"] if person else []
    process = await asyncio.create_subprocess_exec(
        *(PROGRAM, "run", f"{live}/openapi.json", "--checks", "all", "--exclude-checks", NOT_CHECKED),
        *("--exclude-path-regex", WITHOUT, "--generation-deterministic", "--no-color", "--warnings", "off"),
        *("--request-timeout", "30", "--workers", "1", *signed_in, *options),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    if process.returncode != 0:
        # a line of it may hold a whole request; those that say what is wrong are short
        pytest.fail("\n".join(line[:400] for line in output.decode().splitlines())[-12_000:], pytrace=False)


@pytest.fixture
async def admin(people: People, infra: Infra) -> Person:
    """Somebody who may do everything, and who has done something."""
    admin = await people.make("admin", role="admin")
    album_id = await make_album(infra)
    await admin.post("/reviews", json={"album_id": str(album_id), "rating": 7, "text": "Something to list."})
    return admin


async def test_every_answer_is_as_documented(live: str, admin: Person) -> None:
    await run(live, "--phases", "examples,coverage", person=admin)


async def test_made_up_requests_break_nothing(live: str, admin: Person) -> None:
    await run(live, "--phases", "fuzzing", "--max-examples", "4", person=admin)


async def test_without_a_token_nothing_breaks(live: str) -> None:
    await run(live, "--phases", "fuzzing", "--max-examples", "2", person=None)


@pytest.mark.slow
async def test_many_made_up_requests_break_nothing(live: str, admin: Person) -> None:
    await run(live, "--phases", "examples,coverage,fuzzing", "--max-examples", "60", person=admin)
