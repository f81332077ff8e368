"""Covers and portraits for the demo: colours and shapes that the name decides."""

import asyncio
import hashlib
from collections.abc import Iterable
from colorsys import hls_to_rgb
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

from PIL import Image, ImageDraw

from app.integrations.storage import Storage
from app.pictures.service import SIZES, keys_of

__all__ = ["avatar_key", "cover_key", "draw", "store_pictures"]

SIDE = 300
THREADS = 2
Colour = tuple[int, int, int]


def cover_key(album: str) -> str:
    """Where the cover of the album `artist - title` is stored."""
    return _key("covers", album)


def avatar_key(username: str) -> str:
    """Where the portrait of the person is stored."""
    return _key("avatars", username)


def _key(folder: str, name: str) -> str:
    return f"{folder}/demo-{hashlib.sha256(f'{folder} {name}'.encode()).hexdigest()[:24]}.webp"


async def store_pictures(storage: Storage, keys: Iterable[str]) -> None:
    """Draws and stores the pictures that are not there yet, in the sizes that other pictures have."""
    with ThreadPoolExecutor(THREADS, thread_name_prefix="demo") as threads:

        async def store(key: str) -> None:
            if await storage.stat(keys_of(key)[-1]) is None:  # the smallest, which every picture has, comes last
                made = await asyncio.get_running_loop().run_in_executor(threads, draw, key)
                for name, picture in made.items():
                    await storage.put(name, picture, content_type="image/webp")

        await asyncio.gather(*map(store, keys))


def draw(key: str) -> dict[str, bytes]:
    """WebP pictures of a few kilobytes by their keys: the picture, and those of the sizes that are smaller."""
    picture = _drawn(hashlib.sha256(key.encode()).digest())
    made = {key: _encoded(picture)}
    for size, name in zip(SIZES, keys_of(key)[1:], strict=True):
        if size < SIDE:
            made[name] = _encoded(picture.resize((size, size), Image.Resampling.LANCZOS))
    return made


def _drawn(seed: bytes) -> Image.Image:
    """A gradient of four related colours, and one of three shapes on it."""
    corners = Image.new("RGB", (2, 2))
    corners.putdata([_colour(seed, i) for i in range(4)])
    picture = corners.resize((SIDE, SIDE), Image.Resampling.BICUBIC)
    shapes = Image.new("RGBA", picture.size)
    (_rings, _stripes, _discs)[seed[8] % 3](ImageDraw.Draw(shapes), seed)
    picture.paste(shapes, mask=shapes)
    return picture


def _encoded(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=75, method=2)
    return out.getvalue()


def _colour(seed: bytes, corner: int) -> Colour:
    hue = seed[0] / 256 + (seed[1] / 256 - 0.5) * 0.5 * (corner % 3) / 2
    lightness = 0.25 + 0.45 * seed[2 + corner] / 256
    red, green, blue = hls_to_rgb(hue % 1, lightness, 0.45 + 0.4 * seed[7] / 256)
    return int(red * 255), int(green * 255), int(blue * 255)


def _ink(seed: bytes, number: int) -> tuple[int, int, int, int]:
    return (*((255, 255, 255) if seed[9] % 4 else (20, 20, 30)), 30 + seed[10 + number] // 4)


def _rings(canvas: ImageDraw.ImageDraw, seed: bytes) -> None:
    x, y = seed[20] * SIDE // 256, seed[21] * SIDE // 256
    for number in range(3 + seed[22] % 3):
        radius = 30 + 40 * number
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), outline=_ink(seed, number), width=12)


def _stripes(canvas: ImageDraw.ImageDraw, seed: bytes) -> None:
    slant = seed[20] - 128
    for number in range(3 + seed[21] % 4):
        left = 20 + 55 * number
        corners = [(left, 0), (left + 26, 0), (left + 26 + slant, SIDE), (left + slant, SIDE)]
        canvas.polygon(corners, fill=_ink(seed, number))


def _discs(canvas: ImageDraw.ImageDraw, seed: bytes) -> None:
    for number in range(3 + seed[20] % 3):
        x, y, radius = seed[21 + number], seed[25 + number], 25 + seed[10 + number] // 4
        canvas.ellipse((x - radius, y - radius, x + radius, y + radius), fill=_ink(seed, number))
