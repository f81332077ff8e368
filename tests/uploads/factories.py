"""Recordings: made here, and uploaded in the three steps."""

import io
import math
import struct
import wave
from typing import Any

import httpx
from fastapi import FastAPI

from app.core.ids import uuid7
from app.core.infra import Infra
from app.core.job_runner import drain
from tests.people import Person

Body = dict[str, Any]


def wav(seconds: float = 0.5, *, rate: int = 8000, tags: dict[bytes, str] | None = None) -> bytes:
    """A tone that no other call makes, with RIFF INFO tags if wanted."""
    pitch = 200 + uuid7().int % 5000 / 7
    samples = (round(12000 * math.sin(2 * math.pi * pitch * at / rate)) for at in range(round(rate * seconds)))
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"".join(struct.pack("<h", sample) for sample in samples))
    data = out.getvalue() + b"junk" + struct.pack("<I", 16) + uuid7().bytes  # that no two are alike
    if tags:
        data += _info(tags)
    return data[:4] + struct.pack("<I", len(data) - 8) + data[8:]


def _info(tags: dict[bytes, str]) -> bytes:
    body = b"INFO"
    for name, value in tags.items():
        text = value.encode() + b"\0"
        body += name + struct.pack("<I", len(text)) + text + b"\0" * (len(text) % 2)
    return b"LIST" + struct.pack("<I", len(body)) + body


def mp3(frames: int = 80, *, title: str | None = None, tag: bytes | None = None) -> bytes:
    """MPEG 1 layer III frames of 128 kbit/s at 44.1 kHz with silence, and an ID3 tag unless another is given."""
    frame = bytes([0xFF, 0xFB, 0x90, 0x00]) + uuid7().bytes + b"\0" * 397
    return (id3(title or "Silence") if tag is None else tag) + frame * frames


def id3(title: str, picture: int = 0) -> bytes:
    """A tag with a title, and a picture of so many bytes if wanted."""
    tag = b""
    for name, body in ((b"TIT2", b"\x03" + title.encode()), (b"APIC", b"\0image/png\0\x03\0" + b"\x01" * picture)):
        tag += name + struct.pack(">I", len(body)) + b"\0\0" + body if name == b"TIT2" or picture else b""
    return b"ID3\x03\0\0" + bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0)) + tag


def adts(frames: int = 50) -> bytes:
    """Raw AAC frames: 44.1 kHz, stereo."""
    length = 200
    header = bytes([0xFF, 0xF1, 0x50, 0x80 | length >> 11, length >> 3 & 0xFF, (length & 7) << 5 | 0x1F, 0xFC])
    return (header + uuid7().bytes + b"\0" * (length - 23)) * frames


async def announce(person: Person, data: bytes, *, content_type: str = "audio/wav", **fields: Any) -> Body:
    """The first step."""
    new = {"filename": "take one.wav", "content_type": content_type, "size": len(data), **fields}
    answer = await person.post("/uploads", json=new)
    assert answer.status_code == 201, answer.text
    ticket: Body = answer.json()
    return ticket


async def send(app: FastAPI, ticket: Body, data: bytes, **headers: str) -> httpx.Response:
    """The second step, as a stranger with the link would do it."""
    grant = ticket["upload"]
    here = grant["url"].startswith(app.state.infra.settings.base_url)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False) if here else None
    async with httpx.AsyncClient(transport=transport) as nobody:
        return await nobody.request(grant["method"], grant["url"], content=data, headers=grant["headers"] | headers)


async def upload(app: FastAPI, person: Person, data: bytes | None = None, **wishes: Any) -> Body:
    """All three steps and the job."""
    data = wav() if data is None else data
    content_type = wishes.pop("content_type", "audio/wav")
    filename = wishes.pop("filename", "take one.wav")
    ticket = await announce(person, data, content_type=content_type, filename=filename)
    sent = await send(app, ticket, data)
    assert sent.is_success, sent.text
    answer = await person.post(f"/uploads/{ticket['id']}/finalise", json=wishes)
    assert answer.status_code == 202, answer.text
    await drain(app.state.infra)
    done: Body = (await person.get(f"/uploads/{ticket['id']}")).json()
    return done


async def track_of(app: FastAPI, person: Person, **wishes: Any) -> Body:
    """An upload that has become a track."""
    done = await upload(app, person, **wishes)
    assert done["state"] == "ready", done
    track: Body = done["track"]
    return track


async def expire_links(infra: Infra, person: Person) -> None:
    """As if the links of a person's uploads had expired an hour ago."""
    async with infra.db.write() as db:
        for table, column in (("uploads", "link_expires_at"), ("upload_links", "expires_at")):
            sql = f"UPDATE {table} SET {column} = now() - interval '1 hour' WHERE owner_id = $1"
            await db.records(sql, [person.id])
