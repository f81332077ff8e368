"""Pictures from people: checked by their content, made small, stripped of everything but the picture."""

import asyncio
import warnings
from collections.abc import AsyncIterator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO
from math import isqrt
from typing import BinaryIO, Final

from PIL import Image, PngImagePlugin, UnidentifiedImageError

from app.core.errors import Invalid, Unavailable
from app.core.image_costs import MOST_PIXELS, TooCostly, check_cost, check_webp
from app.core.infra import Infra, opened
from app.core.memory import give_back

__all__ = ["NotAnImage", "Renditions", "render"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_WAITING = 64
_MOST_TEXT = 4 * 1024 * 1024
_TILE = 1024 * 1024
"""Pixels that are converted at a time: a copy of the whole picture would double what it takes."""
_ORIENTATION = 0x0112
_TURNS: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


class NotAnImage(Invalid):
    code, title = "not_an_image", "This is not a picture that can be used"


@dataclass(frozen=True, slots=True)
class Renditions:
    """A picture as WebP: the largest first, with its size; and by their sides those that are smaller."""

    largest: bytes
    width: int
    height: int
    smaller: dict[int, bytes]


class _Workbench:
    """One thread: a decoded picture takes up to 64 MB, so there is never more than one."""

    def __init__(self) -> None:
        self.threads = ThreadPoolExecutor(1, thread_name_prefix="images")
        self.waiting = 0


@opened
@asynccontextmanager
async def _workbench(_: Infra) -> AsyncIterator[_Workbench]:
    PngImagePlugin.MAX_TEXT_MEMORY = _MOST_TEXT  # Pillow would keep 64 MB of the texts in a picture
    bench = _Workbench()
    with bench.threads:
        yield bench


async def render(infra: Infra, file: BinaryIO, sides: Sequence[int]) -> Renditions:
    """The picture as WebP, at most the first of `sides` pixels wide and high, and smaller; without metadata.

    Raises NotAnImage, Unavailable.
    """
    bench = infra.part(_workbench)
    if bench.waiting >= MOST_WAITING:
        raise Unavailable("Too many pictures are waiting. Try again shortly.", retry_after=10)
    bench.waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(bench.threads, _render, file, sides)
    finally:
        bench.waiting -= 1


def _render(file: BinaryIO, sides: Sequence[int]) -> Renditions:
    try:
        return _renditions(file, sides)
    finally:
        give_back()


def _renditions(file: BinaryIO, sides: Sequence[int]) -> Renditions:
    try:
        with warnings.catch_warnings():
            # Pillow warns of bombs from a size that we refuse or allow ourselves
            warnings.simplefilter("ignore")
            picture = _open(file, sides[0])
    except TooCostly as error:
        raise NotAnImage(str(error)) from error
    except Image.DecompressionBombError as error:
        raise NotAnImage(f"The picture has too many pixels; {MOST_PIXELS:,} are the most.") from error
    except UnidentifiedImageError as error:
        raise NotAnImage("Send a PNG, JPEG, WebP or GIF picture.") from error
    except Exception as error:  # decoders raise whatever they stumble over
        raise NotAnImage("The picture is damaged.") from error
    largest = _fitted(picture, sides[0])
    smaller = {side: _encoded(_fitted(largest, side)) for side in sides[1:] if side < max(largest.size)}
    return Renditions(_encoded(largest), *largest.size, smaller)


def _open(file: BinaryIO, side: int) -> Image.Image:
    """The picture upright, less than twice as large as it will be."""
    file.seek(0)
    check_webp(file.read(30))
    file.seek(0)
    with Image.open(file, formats=FORMATS) as image:
        check_cost(image, file, side)
        image.draft("RGB", (side, side))
        image.load()
        small = _reduced(image, max(1, max(image.size) // side))
        turn = _TURNS.get(_orientation(image))
    return small if turn is None else small.transpose(turn)


def _reduced(image: Image.Image, factor: int) -> Image.Image:
    """The picture in full colour, smaller by a whole factor: tile by tile, so that nothing large is copied."""
    mode = "RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB"
    small = Image.new(mode, (-(-image.width // factor), -(-image.height // factor)))
    for left, top, right, bottom in _tiles(image.size, factor):
        tile = _in_colour(image.crop((left, top, right, bottom)), mode)
        small.paste(tile.reduce(factor) if factor > 1 else tile, (left // factor, top // factor))
    return small


def _tiles(size: tuple[int, int], factor: int) -> Iterator[tuple[int, int, int, int]]:
    """Parts of a picture that begin at multiples of the factor; their pixels are few even if it is long and thin."""
    width, height = size
    rows = min(height, factor * max(1, isqrt(_TILE) // factor))
    columns = factor * max(1, _TILE // (rows * factor))
    for top in range(0, height, rows):
        for left in range(0, width, columns):
            yield left, top, min(left + columns, width), min(top + rows, height)


def _in_colour(tile: Image.Image, mode: str) -> Image.Image:
    if tile.mode.startswith("I"):  # 16 bits of grey, of which a conversion would keep the darkest
        tile = tile.point(lambda value: value / 256).convert("L")
    return tile if tile.mode == mode else tile.convert(mode)


def _orientation(image: Image.Image) -> int:
    try:
        return int(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # a picture is no worse for metadata that nobody can read
        return 1


def _fitted(picture: Image.Image, side: int) -> Image.Image:
    small = picture.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    return small


def _encoded(picture: Image.Image) -> bytes:
    out = BytesIO()
    picture.save(out, "WEBP", quality=84, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()
