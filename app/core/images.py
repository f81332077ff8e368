"""Pictures from people: checked by their content, made small, stripped of everything but the picture."""

import asyncio
import warnings
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from app.core.errors import Invalid
from app.core.infra import Infra, opened

__all__ = ["NotAnImage", "as_webp"]

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
MOST_PIXELS = 16_000_000


class NotAnImage(Invalid):
    code, title = "not_an_image", "This is not a picture that can be used"


@opened
@asynccontextmanager
async def _workbench(_: Infra) -> AsyncIterator[ThreadPoolExecutor]:
    """One thread: a decoded picture takes up to 100 MB, so there is never more than one."""
    with ThreadPoolExecutor(1, thread_name_prefix="images") as threads:
        yield threads


async def as_webp(infra: Infra, data: bytes, *, side: int) -> bytes:
    """The picture as WebP, at most `side` pixels wide and high, without metadata. Raises NotAnImage."""
    return await asyncio.get_running_loop().run_in_executor(infra.part(_workbench), _convert, data, side)


def _convert(data: bytes, side: int) -> bytes:
    try:
        with warnings.catch_warnings():
            # Pillow warns of bombs from a size that we refuse or allow ourselves
            warnings.simplefilter("ignore")
            with Image.open(BytesIO(data), formats=FORMATS) as image:
                _check_size(image)
                image.draft("RGB", (side, side))
                return _encode(image, side)
    except UnidentifiedImageError as error:
        raise NotAnImage("Send a PNG, JPEG, WebP or GIF picture.") from error
    except (OSError, SyntaxError, ValueError, EOFError, Image.DecompressionBombError) as error:
        raise NotAnImage("The picture is damaged.") from error


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MOST_PIXELS:
        raise NotAnImage(f"The picture has {image.width} x {image.height} pixels; {MOST_PIXELS:,} are the most.")


def _encode(image: Image.Image, side: int) -> bytes:
    """Small first, then upright: only the small picture is copied."""
    has_alpha = "A" in image.getbands() or "transparency" in image.info
    mode = "RGBA" if has_alpha else "RGB"
    picture = image if image.mode == mode else image.convert(mode)
    picture.thumbnail((side, side))
    out = BytesIO()
    ImageOps.exif_transpose(picture).save(out, "WEBP", quality=84, method=4, exif=b"", icc_profile=b"")
    return out.getvalue()
