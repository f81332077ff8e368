"""What decoding a picture would cost, from its first bytes: a small file can ask for a lot of memory."""

from typing import BinaryIO

from PIL import Image

__all__ = ["MOST_MEMORY", "MOST_PIXELS", "MOST_SCANS", "TooCostly", "check_cost", "check_webp", "webp_size"]

MOST_MEMORY = 64 * 1024 * 1024
MOST_PIXELS = 16_000_000
MOST_JPEG_PIXELS = 64_000_000
"""Most JPEG pictures are decoded at a fraction of their size, at a fraction of the cost."""
MOST_SCANS = 60
"""A progressive JPEG has about ten; each one is a way through the whole picture."""

# measured: libwebp keeps two canvases beside the frame and what Pillow copies from it
_WEBP_BYTES = 16
_SCAN = b"\xff\xda"


class TooCostly(ValueError):
    """Decoding the picture would take too much; the sentence says what would do."""


def check_cost(image: Image.Image, file: BinaryIO, side: int) -> None:
    """Raises TooCostly for a picture that was opened and not yet decoded, if it is to become `side` pixels wide."""
    pixels = image.width * image.height
    is_jpeg = image.format in {"JPEG", "MPO"}
    if pixels > (most := MOST_JPEG_PIXELS if is_jpeg else MOST_PIXELS):
        raise TooCostly(f"The picture has {image.width} x {image.height} pixels; {most:,} are the most.")
    if is_jpeg:
        _check_jpeg(image, file, side)
    elif image.format == "WEBP":
        _check_webp(image.width, image.height)


def webp_size(head: bytes) -> tuple[int, int] | None:
    """The size of a WebP picture from its first 30 bytes. None for anything else.

    Pillow would have libwebp reserve memory for all of the picture before it tells its size.
    """
    if head[:4] != b"RIFF" or head[8:12] != b"WEBP" or len(head) < 30:
        return None
    if head[12:16] == b"VP8X":
        return 1 + int.from_bytes(head[24:27], "little"), 1 + int.from_bytes(head[27:30], "little")
    if head[12:16] == b"VP8L":
        bits = int.from_bytes(head[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(head[26:28], "little") & 0x3FFF, int.from_bytes(head[28:30], "little") & 0x3FFF


def check_webp(head: bytes) -> None:
    """Raises TooCostly for a WebP picture that is too large to be decoded. Anything else passes."""
    _check_webp(*(webp_size(head) or (0, 0)))


def _check_webp(width: int, height: int) -> None:
    most = MOST_MEMORY // _WEBP_BYTES
    if width * height > most:
        raise TooCostly(
            f"The picture has {width} x {height} pixels; {most:,} are the most of WebP. JPEG may have more."
        )


def _check_jpeg(image: Image.Image, file: BinaryIO, side: int) -> None:
    scans = _scans(file)
    if scans > MOST_SCANS:
        raise TooCostly(f"The JPEG has {scans} scans; {MOST_SCANS} are the most.")
    scale = next(scale for scale in (8, 4, 2, 1) if scale == 1 or min(image.size) >= scale * side)
    memory = 4 * image.width * image.height // scale**2
    if scans > 1:  # all coefficients are kept until the last scan
        layers = [(across, down) for _, across, down, *_ in getattr(image, "layer", [])]
        most = max((across * down for across, down in layers), default=1)
        share = sum(across * down for across, down in layers) / most if layers else 4
        memory += int(2 * share * image.width * image.height)
    if memory > MOST_MEMORY:
        raise TooCostly("The picture is too large for a progressive JPEG. Make it smaller, or save it as baseline.")


def _scans(file: BinaryIO) -> int:
    place, count, last = file.tell(), 0, b""
    file.seek(0)
    while piece := file.read(65536):
        count += (last + piece).count(_SCAN)
        last = piece[-1:]
    file.seek(place)
    return count
