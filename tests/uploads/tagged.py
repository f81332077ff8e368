"""Recordings with pictures in their tags, as other programs write them."""

import struct

from app.core.ids import uuid7

__all__ = ["flac", "frame", "mp3", "picture_frame"]

FRONT, BACK, OTHER = 3, 4, 0


def mp3(*frames: bytes, title: str = "Untitled", artist: str = "Somebody", album: str | None = "Pictures") -> bytes:
    """MPEG frames of silence behind an ID3v2.3 tag with these frames."""
    texts = {"TIT2": title, "TPE1": artist} | ({"TALB": album} if album else {})
    tag = b"".join(frame(name, b"\x03" + text.encode()) for name, text in texts.items()) + b"".join(frames)
    size = bytes(len(tag) >> shift & 0x7F for shift in (21, 14, 7, 0))
    sound = bytes([0xFF, 0xFB, 0x90, 0x00]) + uuid7().bytes + b"\0" * 397
    return b"ID3\x03\0\0" + size + tag + sound * 80


def frame(name: str, content: bytes) -> bytes:
    return name.encode() + struct.pack(">I", len(content)) + b"\0\0" + content


def picture_frame(picture: bytes, kind: int = FRONT) -> bytes:
    """APIC: encoding, type, what it shows, description, and the picture."""
    return frame("APIC", b"\0image/jpeg\0" + bytes([kind]) + b"a picture\0" + picture)


def flac(picture: bytes, *, title: str = "Untitled", artist: str = "Somebody", album: str = "Pictures") -> bytes:
    """A FLAC of one second by its header, with a picture block; what follows is no sound."""
    rate, samples = 44_100, 44_100
    numbers = (rate << 44 | 1 << 41 | 15 << 36 | samples).to_bytes(8, "big")
    info = struct.pack(">HH", 4096, 4096) + b"\0" * 6 + numbers + uuid7().bytes
    said = [f"TITLE={title}", f"ARTIST={artist}", f"ALBUM={album}"]
    texts = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in said)
    comment = struct.pack("<I", 4) + b"self" + struct.pack("<I", len(said)) + texts
    shown = struct.pack(">II", FRONT, 10) + b"image/jpeg" + struct.pack(">I", 0) + b"\0" * 16
    blocks = [(0, info), (4, comment), (6, shown + struct.pack(">I", len(picture)) + picture)]
    last = len(blocks) - 1
    heads = [bytes([kind | (0x80 if place == last else 0)]) for place, (kind, _) in enumerate(blocks)]
    whole = [head + struct.pack(">I", len(body))[1:] + body for head, (_, body) in zip(heads, blocks, strict=True)]
    return b"fLaC" + b"".join(whole) + b"\xff\xf8" + b"\0" * 2000
