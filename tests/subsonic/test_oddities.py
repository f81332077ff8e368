"""Whatever a client sends, it is told something that it can read."""

import xml.etree.ElementTree as ET
from uuid import uuid4

import pytest
from fastapi import FastAPI

from app.compat.subsonic.calls import CALLS
from tests.people import People
from tests.subsonic.factories import Player, make_player

NAMES = """
    id albumId artistId songId playlistId songIdToAdd songIndexToRemove name comment public current
    currentIndex position query artist title genre type size offset count songCount songOffset
    albumCount albumOffset artistCount artistOffset fromYear toYear rating submission time username
    format maxBitRate timeOffset estimateContentLength musicFolderId
"""
ODD = [
    "",
    "0",
    "-1",
    "9" * 40,
    "\x00\x07",
    "é\ud7ff\U0001f3b5" * 50,
    "' OR 1=1 --",
    "%s%%\\",
    str(uuid4()),
    "byYear",
    "true",
]


@pytest.fixture
async def player(app: FastAPI, people: People) -> Player:
    return await make_player(app, await people.make("ana"))


@pytest.mark.parametrize("odd", ODD, ids=range(len(ODD)))
async def test_odd_values(player: Player, odd: str) -> None:
    for name in CALLS:
        given = dict.fromkeys(NAMES.split(), odd)
        answer = await player.get(f"/{name}", params={**player.common, **given, "f": "xml"})
        assert answer.status_code == 200, (name, answer.text)
        assert ET.fromstring(answer.content).attrib["status"] in {"ok", "failed"}


async def test_a_version_without_end(player: Player) -> None:
    answer = await player.get("/ping", params={**player.common, "v": "9" * 4400, "f": "xml"})
    assert ET.fromstring(answer.content).attrib["status"] == "failed"


async def test_odd_requests(player: Player) -> None:
    for query in (b"%", b"&&&", b"u", b"=1", b"u=%ff%fe", b"f=json&f=xml"):
        answer = await player.get(f"/ping?{query.decode()}")
        assert answer.status_code == 200
    many = await player.post("/ping", data={"a": ["1"] * 30_000})
    assert ET.fromstring(many.content).attrib["status"] == "failed"
    for body, kind in ((b"\xff\xfe=\x00", "application/x-www-form-urlencoded"), (b"{}", "application/json")):
        answer = await player.post("/ping", content=body, headers={"content-type": kind})
        assert ET.fromstring(answer.content).attrib["status"] == "failed"
    for address in ("/", "/ping/more", "/.view"):
        assert (await player.get(address)).status_code in {200, 404}
    assert (await player.put("/ping")).status_code == 405
