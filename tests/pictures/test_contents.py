"""What is accepted as a picture, what becomes of it, and what is refused before it costs anything."""

import asyncio
import struct
import zlib
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from app.core.errors import Unavailable
from app.core.image_costs import MOST_MEMORY, MOST_SCANS, webp_size
from app.core.images import MOST_WAITING, NotAnImage, Renditions, render
from app.core.infra import Infra
from tests.pictures.factories import bomb, chunk, picture

SIDES = (1000, 320, 96)


async def rendered(infra: Infra, content: bytes) -> Image.Image:
    made: Renditions = await render(infra, BytesIO(content), SIDES)
    image = Image.open(BytesIO(made.largest))
    assert (image.format, image.size) == ("WEBP", (made.width, made.height))
    return image


async def refused(infra: Infra, content: bytes) -> str:
    with pytest.raises(NotAnImage) as caught:
        await render(infra, BytesIO(content), SIDES)
    return caught.value.detail


def near(image: Image.Image, place: tuple[int, int], colour: tuple[int, ...]) -> bool:
    found = image.getpixel(place)
    assert isinstance(found, tuple)
    return all(abs(one - other) < 12 for one, other in zip(found, colour, strict=False))


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
async def test_every_kind_of_png(infra: Infra, mode: str) -> None:
    grey = Image.new("L", (2500, 900), 200).convert("I;16").point(lambda value: value * 257) if mode == "I;16" else None
    image = grey or Image.new("RGB", (2500, 900), (200, 200, 200)).convert(mode)
    out = BytesIO()
    image.save(out, "PNG")
    made = await rendered(infra, out.getvalue())
    assert made.size == (1000, 360)
    if mode != "1":
        assert near(made, (500, 180), (200, 200, 200))


async def test_parts_stay_where_they_are(infra: Infra) -> None:
    """Large pictures are reduced in bands: no band is lost, and none is moved."""
    image = Image.new("RGB", (3000, 4000))
    for number, colour in enumerate(((250, 0, 0), (0, 250, 0), (0, 0, 250))):
        image.paste(colour, (0, number * 1334, 3000, (number + 1) * 1334))
    out = BytesIO()
    image.save(out, "PNG", compress_level=1)
    made = await rendered(infra, out.getvalue())
    assert made.size == (750, 1000)
    for number, colour in enumerate(((250, 0, 0), (0, 250, 0), (0, 0, 250))):
        assert near(made, (375, number * 333 + 30), colour)
        assert near(made, (375, number * 333 + 300), colour)


@pytest.mark.parametrize(
    ("orientation", "corner"),
    [(1, (0, 0)), (2, (1, 0)), (3, (1, 1)), (4, (0, 1)), (5, (0, 0)), (6, (1, 0)), (7, (1, 1)), (8, (0, 1))],
)
async def test_pictures_stand_upright(infra: Infra, orientation: int, corner: tuple[int, int]) -> None:
    image, out, exif = Image.new("RGB", (60, 40)), BytesIO(), Image.Exif()
    image.paste((250, 250, 250), (0, 0, 20, 15))
    exif[0x0112] = orientation
    image.save(out, "PNG", exif=exif)
    made = await rendered(infra, out.getvalue())
    assert made.size == ((60, 40) if orientation < 5 else (40, 60))
    assert near(made, (corner[0] * (made.width - 1), corner[1] * (made.height - 1)), (250, 250, 250))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_nothing_but_the_picture_stays(infra: Infra, kind: str) -> None:
    image, out, exif = Image.new("RGB", (400, 300)), BytesIO(), Image.Exif()
    exif[0x010E] = "taken at home"
    exif.get_ifd(0x8825)[1] = "N"  # where
    image.save(out, kind, exif=exif, icc_profile=b"profile of a screen" * 20)
    assert b"taken at home" in out.getvalue()
    made = await render(infra, BytesIO(out.getvalue()), SIDES)
    for content in (made.largest, *made.smaller.values()):
        assert [word for word in (b"taken", b"EXIF", b"ICCP", b"XMP ") if word in content] == []


async def test_exif_that_nobody_can_read(infra: Infra) -> None:
    assert (await rendered(infra, picture("JPEG", exif=b"Exif\0\0" + b"garbage" * 30))).size == (40, 30)


async def test_the_first_frame_of_a_film(infra: Infra) -> None:
    out = BytesIO()
    frames = [Image.new("RGB", (50, 50), colour) for colour in ((250, 0, 0), (0, 250, 0))]
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    assert near(await rendered(infra, out.getvalue()), (25, 25), (250, 0, 0))


@pytest.mark.parametrize(
    "content",
    [b"", b"no picture", b"<svg xmlns='http://www.w3.org/2000/svg'/>", picture("BMP"), picture("TIFF"), b"%PDF-1.7"],
    ids=["empty", "text", "svg", "bmp", "tiff", "pdf"],
)
async def test_what_is_no_picture(infra: Infra, content: bytes) -> None:
    assert await refused(infra, content) == "Send a PNG, JPEG, WebP or GIF picture."


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF"])
async def test_what_is_cut_or_changed(infra: Infra, kind: str) -> None:
    whole = picture(kind, (300, 200))
    for content in (whole[: len(whole) // 2], whole[:40]):
        assert "picture" in await refused(infra, content)


async def test_too_many_pixels(infra: Infra) -> None:
    assert "too many pixels" in await refused(infra, bomb())
    assert "4001 x 4000 pixels" in await refused(infra, picture(size=(4001, 4000), mode="1", colour="white"))
    assert "16383 x 16383 pixels" in await refused(infra, webp_header(16383, 16383))
    assert "4195 x 1000" in await refused(infra, webp_header(4195, 1000))
    assert "damaged" in await refused(infra, webp_header(4194, 1000))


def webp_header(width: int, height: int) -> bytes:
    """A lossless WebP that says how large it is, and nothing else."""
    data = b"\x2f" + ((width - 1) | (height - 1) << 14).to_bytes(4, "little") + b"\0" * 20
    body = b"WEBPVP8L" + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body


@pytest.mark.parametrize("options", [{}, {"lossless": True}, {"exif": b"Exif\0\0"}], ids=["lossy", "lossless", "more"])
def test_the_size_of_webp(options: dict[str, object]) -> None:
    assert webp_size(picture("WEBP", (301, 77), **options)[:30]) == (301, 77)


async def test_progressive_pictures_are_kept_as_a_whole(infra: Infra) -> None:
    large = {"size": (3600, 3600), "progressive": True}
    assert 3600 * 3600 * 6 > MOST_MEMORY > 3600 * 3600 * 3
    assert "progressive" in await refused(infra, picture("JPEG", subsampling=0, **large))
    assert (await rendered(infra, picture("JPEG", subsampling=2, **large))).size == (1000, 1000)


async def test_a_jpeg_of_many_scans(infra: Infra) -> None:
    """Each scan is a way through the whole picture, and takes ten bytes of the file."""
    whole = picture("JPEG", (64, 64), progressive=True)
    last = whole.rindex(b"\xff\xda")
    many = whole[:last] + whole[last:-2] * (MOST_SCANS + 1) + whole[-2:]
    assert "scans" in await refused(infra, many)


async def test_texts_in_a_picture_are_limited(infra: Infra) -> None:
    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(b" " * 1_000_000))
    whole = picture()
    assert "damaged" in await refused(infra, whole[:33] + text * 20 + whole[33:])
    assert (await rendered(infra, whole[:33] + text * 2 + whole[33:])).size == (40, 30)


async def test_only_so_many_wait(infra: Infra) -> None:
    asked = [render(infra, BytesIO(picture()), SIDES) for _ in range(MOST_WAITING + 3)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(answer, Unavailable) for answer in answers) == 3
    assert (await render(infra, BytesIO(picture()), SIDES)).width == 40


async def test_files_on_disk_will_do(infra: Infra, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(picture())
    with path.open("rb") as file:
        assert (await render(infra, file, SIDES)).width == 40
