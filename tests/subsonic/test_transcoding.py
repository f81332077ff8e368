"""Recordings for players that can take only so much: what is chosen, what is made of it, and that it ends."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from fastapi import FastAPI
from sqlalchemy import update

from app.catalog.models import Track
from app.core.config import Settings
from app.core.infra import Infra
from app.integrations.storage import storage
from app.uploads.fitting import Fit, choose
from app.uploads.models import Upload
from app.uploads.schemas import Recording
from app.uploads.sniffing import sniff
from app.uploads.transcoding import MOST_OPEN, Encoding, Transcoding, transcode, transcoders
from tests.conftest import running
from tests.people import People, Person
from tests.subsonic.factories import Player, make_player, make_recording, make_song
from tests.subsonic.test_clients import connect

NEEDS_FFMPEG = pytest.mark.skipif(not shutil.which("ffmpeg"), reason="ffmpeg is not installed")
SECONDS = 20


def recording(audio_type: str, kbps: int, *made: tuple[str, int]) -> Recording:
    """100 seconds, with renditions of so many kilobits a second."""
    return Recording(
        track_id=uuid4(),
        title="",
        artist="",
        visibility="public",
        key="",
        size=kbps * 12_500,
        sha256="",
        audio_type=audio_type,
        duration_ms=100_000,
        bitrate_kbps=None,
        renditions=[{"format": name, "size": rate * 12_500} for name, rate in made],
        finalised_at=datetime.now(UTC),
    )


BARE, MP3 = recording("audio/flac", 900), recording("audio/mpeg", 320)
MADE = recording("audio/flac", 900, ("mp3", 190), ("opus", 97))


@pytest.mark.parametrize(
    ("source", "fit", "chosen"),
    [
        (BARE, Fit(), "original"),
        (BARE, Fit(most_kbps=900), "original"),
        (BARE, Fit(most_kbps=899), Encoding("mp3", 320)),
        (BARE, Fit(most_kbps=128), Encoding("mp3", 128)),
        (BARE, Fit(most_kbps=127), Encoding("mp3", 112)),
        (BARE, Fit(most_kbps=1), Encoding("mp3", 32)),
        (BARE, Fit("mp3"), Encoding("mp3", 192)),
        (BARE, Fit("opus"), Encoding("opus", 96)),
        (BARE, Fit("opus", 127), Encoding("opus", 127)),
        (BARE, Fit("opus", 9000), Encoding("opus", 256)),
        (BARE, Fit("opus", 1, 0, tells_length=True), Encoding("opus", 16, 0, is_steady=True)),
        (BARE, Fit(offset=30), Encoding("mp3", 192, 30)),
        (BARE, Fit("opus", offset=9999), Encoding("opus", 96, 99)),
        (MP3, Fit("mp3"), "original"),
        (MP3, Fit("mp3", 320), "original"),
        (MP3, Fit("mp3", 256), Encoding("mp3", 256)),
        (MP3, Fit("mp3", offset=1), Encoding("mp3", 192, 1)),
        (recording("audio/mpeg", 131), Fit("mp3", offset=1), Encoding("mp3", 128, 1)),
        (recording("audio/ogg", 97), Fit("opus"), Encoding("opus", 96)),
        (MADE, Fit("mp3"), "mp3"),
        (MADE, Fit("mp3", 320), "mp3"),
        (MADE, Fit(most_kbps=192), "mp3"),
        (MADE, Fit(most_kbps=160), Encoding("mp3", 160)),
        (MADE, Fit("opus", 96), "opus"),
        (MADE, Fit("opus", 64), Encoding("opus", 64)),
        (MADE, Fit("opus", offset=5), Encoding("opus", 96, 5)),
    ],
)
def test_what_fits(source: Recording, fit: Fit, chosen: object) -> None:
    assert choose(source, fit) == chosen


@pytest.fixture
async def ana(people: People) -> Person:
    return await people.make("ana")


@pytest.fixture
async def player(app: FastAPI, ana: Person) -> Player:
    return await make_player(app, ana)


async def make_sound(infra: Infra, song: Track, content: bytes) -> None:
    """Has the song sound like this."""
    await infra.part(storage).put(f"audio/{song.id}.mp3", content, content_type="audio/flac")
    async with infra.db.write() as db:
        changed = {"size": len(content), "bitrate_kbps": 900, "duration_ms": song.duration_ms}
        await db.execute(update(Upload).where(Upload.track_id == song.id).values(changed))


def made_by_ffmpeg(folder: Path, name: str, source: str, *options: str) -> bytes:
    path = folder / name
    subprocess.run(["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, *options, str(path)], check=True)
    return path.read_bytes()


@pytest.fixture(scope="module")
def tone(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return made_by_ffmpeg(tmp_path_factory.mktemp("tone"), "a.flac", f"anoisesrc=d={SECONDS}:a=0.2:r=44100", "-ac", "2")


@pytest.fixture(scope="module")
def silence(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Small as it is, and larger than all buffers on the way when it is made MP3."""
    return made_by_ffmpeg(tmp_path_factory.mktemp("silence"), "a.flac", "anullsrc=r=44100:cl=stereo", "-t", "600")


@pytest.fixture
async def song(infra: Infra, ana: Person, tone: bytes) -> Track:
    song = await make_song(infra, None, owner=ana.id, audio_type="audio/flac", duration_ms=SECONDS * 1000)
    await make_sound(infra, song, tone)
    return song


async def fetch(player: Player, song: Track, **parameters: Any) -> httpx.Response:
    return await player.get("/stream", params={**player.common, "id": str(song.id), **parameters})


def probed(content: bytes) -> tuple[str, float]:
    """Codec, and seconds of sound, by decoding all of it."""
    asked = ["-v", "error", "-select_streams", "a:0", "-show_entries", "stream=codec_name", "-of", "csv=p=0", "-i", "-"]
    codec = subprocess.run(["ffprobe", *asked], input=content, capture_output=True, check=True).stdout.decode()
    decode = ["ffmpeg", "-v", "quiet", "-i", "-", "-ac", "1", "-ar", "8000", "-f", "s16le", "-"]
    sound = subprocess.run(decode, input=content, capture_output=True, check=False).stdout
    return codec.strip(), len(sound) / 16_000


@NEEDS_FFMPEG
@pytest.mark.parametrize(
    ("asked", "codec", "kbps"),
    [
        ({"maxBitRate": 128}, "mp3", 128),
        ({"format": "mp3", "maxBitRate": 64}, "mp3", 64),
        ({"format": "opus", "maxBitRate": 48}, "opus", 48),
        ({"format": "mp3"}, "mp3", 192),
        ({"format": "strange", "maxBitRate": 96}, "mp3", 96),
    ],
)
async def test_made_while_it_is_sent(player: Player, song: Track, asked: dict[str, Any], codec: str, kbps: int) -> None:
    answer = await fetch(player, song, **asked)
    kind, content_type = ("ogg", "audio/ogg") if codec == "opus" else ("mp3", "audio/mpeg")
    assert (answer.status_code, sniff(answer.content)) == (200, kind)
    assert (answer.headers["content-type"], answer.headers["accept-ranges"]) == (content_type, "none")
    found, seconds = probed(answer.content)
    assert found == codec
    assert SECONDS - 0.2 <= seconds <= SECONDS + 0.2
    assert 0.6 * kbps <= len(answer.content) * 8 / 1000 / SECONDS <= 1.1 * kbps


@NEEDS_FFMPEG
async def test_from_a_moment_on(player: Player, song: Track, tone: bytes) -> None:
    for asked in ({"maxBitRate": 96, "format": "opus"}, {}):
        answer = await fetch(player, song, timeOffset=SECONDS - 5, **asked)
        assert 4.8 <= probed(answer.content)[1] <= 5.2, asked
        assert answer.headers["x-content-duration"] == "5.000"
    assert (await fetch(player, song, timeOffset=SECONDS - 5, format="raw")).content == tone, "there is Range for that"
    late = await fetch(player, song, timeOffset=86_000, format="mp3")
    assert 0 < probed(late.content)[1] < 2


@NEEDS_FFMPEG
@pytest.mark.parametrize("name", ["mp3", "opus"])
async def test_a_length_that_is_told_beforehand_is_kept(player: Player, live: str, song: Track, name: str) -> None:
    for offset in (0, SECONDS - 5):
        asked = {"format": name, "maxBitRate": 64, "timeOffset": offset, "estimateContentLength": "true"}
        parameters = {**player.common, "id": str(song.id), **asked}
        async with httpx.AsyncClient(base_url=f"{live}/rest") as real:
            answer = await real.get("/stream", params=parameters)
            head = await real.head("/stream", params=parameters)
        length = int(answer.headers["content-length"])
        assert head.headers["content-length"] == answer.headers["content-length"]
        assert len(answer.content) == length
        assert abs(length - (SECONDS - offset) * 8000) < 11_000
        assert abs(probed(answer.content)[1] - (SECONDS - offset)) < 0.2, "nothing is cut off"


@NEEDS_FFMPEG
async def test_py_sonic_takes_what_is_made(live: str, player: Player, song: Track) -> None:
    sonic = connect(live, player)
    for asked in ({"tformat": "opus", "estimateContentLength": True}, {"maxBitRate": 64, "timeOffset": 15}):
        content = await asyncio.to_thread(lambda asked=asked: sonic.stream(str(song.id), **asked).read())
        seconds = SECONDS - asked.get("timeOffset", 0)
        assert abs(probed(content)[1] - seconds) < 0.2, asked


@NEEDS_FFMPEG
async def test_a_file_that_is_longer_than_it_says(infra: Infra, player: Player, live: str, song: Track) -> None:
    async with infra.db.write() as db:
        await db.execute(update(Upload).where(Upload.track_id == song.id).values(duration_ms=4000))
    asked = {"format": "mp3", "maxBitRate": 64, "estimateContentLength": "true", **player.common, "id": str(song.id)}
    async with httpx.AsyncClient(base_url=f"{live}/rest") as real:
        answer = await real.get("/stream", params=asked)
        assert len(answer.content) == int(answer.headers["content-length"])
        assert len((await real.get("/stream", params=asked | {"estimateContentLength": "false"})).content) > 150_000


@NEEDS_FFMPEG
async def test_a_rendition_that_fits_has_ranges(infra: Infra, player: Player, song: Track) -> None:
    content = bytes(range(250)) * 1280  # of 128 kbit/s for its 20 seconds
    key = f"audio/{song.id}-mp3.mp3"
    await infra.part(storage).put(key, content, content_type="audio/mpeg")
    made = [{"format": "mp3", "key": key, "size": len(content), "audio_type": "audio/mpeg"}]
    async with infra.db.write() as db:
        await db.execute(update(Upload).where(Upload.track_id == song.id).values(renditions=made))
    parameters = {**player.common, "id": str(song.id), "maxBitRate": 160}
    part = await player.get("/stream", params=parameters, headers={"Range": "bytes=1000-1999"})
    assert (part.status_code, part.content) == (206, content[1000:2000])
    assert (await fetch(player, song, maxBitRate=64)).content != content


@NEEDS_FFMPEG
async def test_what_may_not_be_heard_is_not_made(
    app: FastAPI, people: People, infra: Infra, ana: Person, tone: bytes
) -> None:
    hidden = await make_song(infra, None, owner=ana.id, audio_type="audio/flac", visibility="private")
    await make_sound(infra, hidden, tone)
    other = await make_player(app, await people.make("other"))
    for asked in ({"maxBitRate": 64}, {"format": "opus", "timeOffset": 3}):
        assert await other.fails("stream", id=str(hidden.id), **asked) == 70
    deaf = await make_player(app, ana, ["read", "write", "listen"])
    assert await deaf.fails("stream", id=str(hidden.id), maxBitRate=64) == 50


@NEEDS_FFMPEG
async def test_to_load_is_not_to_listen(infra: Infra, player: Player, ana: Person, song: Track) -> None:
    await fetch(player, song, maxBitRate=64)
    assert not await infra.db.fetch("SELECT 1 FROM listens WHERE user_id = $1", [ana.id])
    await player.ask("scrobble", id=str(song.id))
    assert len(await infra.db.fetch("SELECT 1 FROM listens WHERE user_id = $1", [ana.id])) == 1


@NEEDS_FFMPEG
async def test_what_ffmpeg_cannot_read_is_sent_as_it_is(infra: Infra, player: Player, ana: Person) -> None:
    song = await make_song(infra, None, owner=ana.id)
    content = await make_recording(infra, song, 3_000)
    assert (await fetch(player, song, maxBitRate=64)).content == content
    playlist = b"#EXTM3U\n#EXTINF:1,\nfile:///etc/hostname\n"
    await make_sound(infra, song, playlist)
    assert (await fetch(player, song, maxBitRate=64)).content == playlist
    assert not infra.part(transcoders).open


@NEEDS_FFMPEG
async def test_a_damaged_file_is_heard_as_far_as_it_goes(
    infra: Infra, player: Player, song: Track, tone: bytes
) -> None:
    at = len(tone) // 2
    for damaged, least, most in ((tone[:at], 9, 11), (tone[:at] + b"\0" * 50_000 + tone[at + 50_000 :], 9, 21)):
        await make_sound(infra, song, damaged)
        answer = await fetch(player, song, maxBitRate=64)
        assert answer.headers["content-type"] == "audio/mpeg"
        assert least <= probed(answer.content)[1] <= most


@NEEDS_FFMPEG
async def test_what_is_killed_is_not_the_whole(infra: Infra, ana: Person, long_song: Track) -> None:
    key, encoding = f"audio/{long_song.id}.mp3", Encoding("mp3", 320)
    killed = await transcode(infra, ana.id, key, encoding, most_bytes=10**9)
    assert await killed.read()
    for process in encoders():
        process.kill()
    with pytest.raises(OSError, match="ended with -9"):
        [piece async for piece in all_of(killed)]
    await killed.end()


async def test_without_ffmpeg(infra: Infra, player: Player, ana: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    announced = {one["name"] for one in (await player.ask("getOpenSubsonicExtensions"))["openSubsonicExtensions"]}
    assert ("transcodeOffset" in announced) == bool(shutil.which("ffmpeg"))
    monkeypatch.setenv("PATH", "")
    song = await make_song(infra, None, owner=ana.id)
    content = await make_recording(infra, song, 3_000)
    for asked in ({"maxBitRate": 64}, {"format": "opus"}, {"timeOffset": 3}, {"estimateContentLength": "true"}):
        assert (await fetch(player, song, **asked)).content == content
    announced = {one["name"] for one in (await player.ask("getOpenSubsonicExtensions"))["openSubsonicExtensions"]}
    assert "transcodeOffset" not in announced


@asynccontextmanager
async def listening(live: str, player: Player, song: Track, offset: int = 0) -> AsyncIterator[httpx.Response]:
    """Somebody who hears the beginning and takes no more."""
    parameters = {**player.common, "id": str(song.id), "format": "mp3", "timeOffset": offset}
    async with (
        httpx.AsyncClient(base_url=f"{live}/rest", timeout=60) as real,
        real.stream("GET", "/stream", params=parameters) as answer,
    ):
        yield answer


def encoders() -> list[psutil.Process]:
    found = []
    for child in psutil.Process().children():
        try:
            found += [child] if child.name() == "ffmpeg" and child.status() != psutil.STATUS_ZOMBIE else []
        except psutil.NoSuchProcess:
            continue
    return found


async def until(condition: Any) -> None:
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.01)


@pytest.fixture
async def long_song(infra: Infra, ana: Person, silence: bytes) -> Track:
    song = await make_song(infra, None, owner=ana.id, audio_type="audio/flac", duration_ms=600_000)
    await make_sound(infra, song, silence)
    return song


@NEEDS_FFMPEG
async def test_who_leaves_ends_it(infra: Infra, live: str, player: Player, long_song: Track) -> None:
    sent = infra.part(transcoders).open
    async with listening(live, player, long_song) as answer:
        assert answer.headers["content-type"] == "audio/mpeg"
        assert len(sent) == len(encoders()) == 1
    await until(lambda: not sent and not encoders())


@NEEDS_FFMPEG
async def test_it_ends_with_the_server(settings: Settings, long_song: Track, ana: Person) -> None:
    async with running(settings) as app:
        started = await transcode(
            app.state.infra, ana.id, f"audio/{long_song.id}.mp3", Encoding("mp3", 320), most_bytes=10**9
        )
        assert sniff(await started.read()) == "mp3"
        folders = {child.cmdline()[child.cmdline().index("-i") + 1] for child in encoders()}
        assert len(folders) == 1
        assert Path(next(iter(folders))).exists()
    assert not encoders()
    assert not Path(next(iter(folders))).exists()


@NEEDS_FFMPEG
async def test_none_if_so_configured(settings: Settings, player: Player, song: Track, tone: bytes) -> None:
    async with running(settings.model_copy(update={"transcodes": 0})) as app:
        other = Player(app, player.username, player.password)
        assert (await fetch(other, song, maxBitRate=64)).content == tone
        told = (await other.ask("getOpenSubsonicExtensions"))["openSubsonicExtensions"]
        assert "transcodeOffset" not in {one["name"] for one in told}


@NEEDS_FFMPEG
async def test_there_are_only_so_many(
    app: FastAPI, people: People, live: str, player: Player, long_song: Track
) -> None:
    places: Any = app.state.infra.part(transcoders)
    bob, song = await make_player(app, await people.make("bob")), long_song
    async with listening(live, player, song, 300), listening(live, player, song, 300):
        for process in encoders():
            process.suspend()
        whole, late = await asyncio.gather(
            fetch(player, song, maxBitRate=320, format="opus"), fetch(player, song, format="mp3", timeOffset=300)
        )
        assert whole.headers["content-type"] == "audio/flac", "there is something else to send"
        assert (late.status_code, late.headers["retry-after"]) == (503, "5")
        async with listening(live, bob, song, 590) as other:
            assert other.headers["content-type"] == "audio/mpeg", "one person does not take the places of all"
    await until(lambda: not places.open and not encoders())
    assert (await fetch(player, song, format="mp3", timeOffset=590)).headers["content-type"] == "audio/mpeg"


@NEEDS_FFMPEG
async def test_nobody_fills_the_disk(infra: Infra, ana: Person, player: Player, song: Track, tone: bytes) -> None:
    key, encoding = f"audio/{song.id}.mp3", Encoding("opus", 16)
    made = [await transcode(infra, ana.id, key, encoding, most_bytes=10_000) for _ in range(MOST_OPEN)]
    assert (await fetch(player, song, maxBitRate=64)).content == tone
    assert (await fetch(player, song, maxBitRate=64, timeOffset=1)).status_code == 503
    pieces = [piece async for piece in all_of(made[0])]
    assert len(b"".join(pieces)) < 20_000, "no more than is allowed"
    for transcoding in made:
        await transcoding.end()
    assert (await fetch(player, song, maxBitRate=64)).headers["content-type"] == "audio/mpeg"


async def all_of(transcoding: Transcoding) -> AsyncIterator[bytes]:
    while piece := await transcoding.read():
        yield piece
