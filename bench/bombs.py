"""Pictures that are small to send and large to decode, and what they cost a server that gets them all at once."""

import asyncio
import random
import struct
import zlib
from collections import Counter
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image, ImageFile
from psutil import Process

__all__ = ["bombs", "explode", "told"]

_HUNDRED_MB = 100
_PNG = b"\x89PNG\r\n\x1a\n"


@cache
def bombs() -> dict[str, bytes]:
    """24 of them. Some are refused by their first bytes; the worst are those that are just small enough."""
    side = 4000
    return {
        "png: 400 million pixels": _png(20_000, 20_000, 1, 0, b"\0" * 1000),
        "png: 2^62 pixels": _png(2**31 - 1, 2**31 - 1, 8, 6, b"\0" * 1000),
        "png: one line of 100 million": _png(100_000_000, 1, 8, 6, b"\0" * 1000),
        "png: as large as may be, RGBA": _saved("PNG", "RGBA", (side, side)),
        "png: as large as may be, RGB": _saved("PNG", "RGB", (side, side)),
        "png: as large as may be, grey with alpha": _saved("PNG", "LA", (side, side)),
        "png: as large as may be, palette": _saved("PNG", "P", (side, side)),
        "png: as large as may be, 16 bits": _saved("PNG", "I;16", (side, side)),
        "png: long and thin": _saved("PNG", "RGBA", (16_000_000 // 20, 20)),
        "png: a body that never ends": _png(3900, 4000, 8, 6, b"\0" * 80_000_000),
        "png: texts of 400 MB": _png(10, 10, 8, 2, b"\0" * 310, _texts(400)),
        "png: a profile of 40 MB": _png(10, 10, 8, 2, b"\0" * 310, _profile(40)),
        "gif: 4 billion pixels": b"GIF89a" + struct.pack("<HH", 65535, 65535) + b"\x80\0\0" + b"\0" * 6 + b",",
        "gif: as large as may be": _saved("GIF", "P", (side, side)),
        "gif: a thousand frames": _film(1000),
        "webp: 268 million pixels": _webp(16_383, 16_383),
        "webp: as large as may be, lossless": _saved("WEBP", "RGBA", (2048, 2048), lossless=True, method=0),
        "webp: as large as may be, lossy": _saved("WEBP", "RGB", (2048, 2048), method=0),
        "jpeg: 4 billion pixels": _jpeg_header(65_500, 65_500),
        "jpeg: as large as may be": _saved("JPEG", "RGB", (8000, 8000), quality=20),
        "jpeg: progressive, all colours": _saved(
            "JPEG", "RGB", (side, side), progressive=True, subsampling=0, quality=20
        ),
        "jpeg: progressive, half the colours": _saved("JPEG", "RGB", (side, side), progressive=True, quality=20),
        "jpeg: a thousand scans": _scans(1000),
        "noise of 5 MB": _noise(),
    }


async def explode(address: str, token: str, process: Process) -> tuple[float, float, Counter[int]]:
    """Sends all at once. MB of memory before, MB at the peak, and the statuses of the answers."""
    headers = {"Authorization": f"Bearer {token}"}
    contents = await asyncio.to_thread(bombs)
    async with httpx.AsyncClient(base_url=f"{address}/api/v1", headers=headers, timeout=120) as client:
        (await client.get("/users/me")).raise_for_status()
        Path(f"/proc/{process.pid}/clear_refs").write_text("5")  # the peak is counted from now
        idle = process.memory_info().rss / 2**20
        asked = [client.put("/users/me/avatar", content=content) for content in contents.values()]
        answers = await asyncio.gather(*asked)
    status = Path(f"/proc/{process.pid}/status").read_text()
    (peak,) = [int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM")]
    return idle, peak, Counter(answer.status_code for answer in answers)


def told(idle: float, peak: float, answers: Counter[int]) -> str:
    """A row for people."""
    said = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
    return f"{'24 image bombs at once':34} {peak - idle:.0f} MB above idle (at most {_HUNDRED_MB}); {said}"


def _saved(kind: str, mode: str, size: tuple[int, int], **options: Any) -> bytes:
    out = BytesIO()
    image = Image.new(mode, size) if mode == "I;16" else Image.new("RGB", size, "teal").convert(mode)
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 2**24)  # what libjpeg wants of a progressive picture at once
    image.save(out, kind, **({"compress_level": 1} if kind == "PNG" else {}), **options)
    return out.getvalue()


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _png(width: int, height: int, bits: int, colour: int, body: bytes, more: bytes = b"") -> bytes:  # noqa: PLR0917
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return _PNG + _chunk(b"IHDR", header) + more + _chunk(b"IDAT", zlib.compress(body, 1)) + _chunk(b"IEND", b"")


def _texts(megabytes: int) -> bytes:
    text = zlib.compress(b" " * 1_000_000)
    return b"".join(_chunk(b"zTXt", b"%d\0\0" % number + text) for number in range(megabytes))


def _profile(megabytes: int) -> bytes:
    return _chunk(b"iCCP", b"screen\0\0" + zlib.compress(b" " * megabytes * 1_000_000))


def _film(frames: int) -> bytes:
    out = BytesIO()
    colours = [Image.new("P", (1000, 1000), number % 256) for number in range(2)]
    first, *rest = [colours[number % 2] for number in range(frames)]
    first.save(out, "GIF", save_all=True, append_images=rest[:20])
    whole = out.getvalue()
    frame = whole[whole.index(b"!\xf9", 800) : -1]
    return (whole[:-1] + frame * (frames // 20))[:4_900_000] + b";"


def _webp(width: int, height: int) -> bytes:
    data = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"\0" * 21
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _jpeg_header(width: int, height: int) -> bytes:
    whole = _saved("JPEG", "RGB", (16, 16))
    place = whole.index(b"\xff\xc0") + 5
    return whole[:place] + struct.pack(">HH", height, width) + whole[place + 4 :]


def _scans(count: int) -> bytes:
    whole = _saved("JPEG", "RGB", (3000, 3000), progressive=True, quality=20)
    last = whole.rindex(b"\xff\xda")
    return (whole[:last] + whole[last:-2] * count)[:4_900_000] + whole[-2:]


def _noise() -> bytes:
    return _saved_bytes(random.Random(1).randbytes(1280 * 1280 * 3), (1280, 1280))


def _saved_bytes(pixels: bytes, size: tuple[int, int]) -> bytes:
    out = BytesIO()
    Image.frombytes("RGB", size, pixels).save(out, "PNG", compress_level=1)
    return out.getvalue()[:5_000_000]
