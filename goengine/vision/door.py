"""The door through which pictures come in: bytes of a file, of standard input or of a data URL, and out come pixels, or a
reason.

Files are made by anybody: what they say of their size is looked at before a pixel is decoded, and no picture takes more memory
than a picture of MOST_PIXELS does. Knows Pillow; no boards.
"""

import base64
import binascii
import contextlib
import os
import re
import struct
import sys
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING, Final

import numpy as np

from goengine.core.files import read_outside

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES: Final = 64_000_000
MOST_PIXELS: Final = 64_000_000
MOST_WEBP_PIXELS: Final = 40_000_000  # which take three times the memory of others
LONGEST: Final = 3000  # pixels of the longer side of what is read; larger pictures are made smaller
SHORTEST: Final = 24  # pixels: nothing can be read of less
FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
STDIN: Final = "-"
INSTALL: Final = "reading pictures needs Pillow and OpenCV: pip install 'goengine[vision]'"
_URL: Final = re.compile(rb"data:image/[\w.+-]+((?:;[\w=.+-]+)*),", re.ASCII | re.IGNORECASE)
_STARTS: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"GIF87a", b"GIF89a", b"BM")


class PictureFileError(ValueError):
    """A file that cannot be read as a picture; the message says why and what to do."""


@dataclass(frozen=True, eq=False)
class OpenedPicture:
    """pixels uint8 [H,W,3], red, green, blue, turned as its camera was; width, height: of the file's picture, which may be
    larger. notes: what people should know, such as that only the first of several pictures was read."""

    pixels: np.ndarray
    width: int
    height: int
    notes: tuple[str, ...] = ()

    @property
    def scale(self) -> float:
        """Pixels of the file's picture for one of `pixels`."""
        return self.width / int(self.pixels.shape[1])


def is_picture(start: bytes) -> bool:
    """Whether a file that starts so (32 bytes are enough) is meant as a picture."""
    start = start.lstrip() if start[:32].lstrip()[:5].lower() == b"data:" else start
    return (
        start.startswith(_STARTS) or (start[:4] == b"RIFF" and start[8:12] == b"WEBP") or start[:11].lower() == b"data:image/"
    )


def is_picture_file(path: str | os.PathLike[str]) -> bool:
    """Whether a file is meant as a picture; False where there is no such file."""
    try:
        if not os.path.isfile(path):
            return False
        with open(path, "rb") as file:
            return is_picture(file.read(32))
    except OSError:
        return False


def read_picture(path: str | os.PathLike[str]) -> OpenedPicture:
    """The picture of a file, or of standard input for "-". Raises PictureFileError that does not name the file."""
    if str(path) == STDIN:
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise PictureFileError(f"standard input is longer than {MOST_BYTES} bytes")
    else:
        try:
            data = read_outside(path, MOST_BYTES)
        except OSError as error:
            raise PictureFileError(error.strerror or str(error)) from None
        except ValueError as error:  # a name with a zero byte
            raise PictureFileError(str(error)) from None
    return decode(data)


def decode(data: bytes) -> OpenedPicture:
    """The picture in the bytes of a file, or of the text of a data URL. Raises PictureFileError."""
    data = _of_url(data)
    if not data:
        raise PictureFileError("is empty")
    if not is_picture(data):
        raise PictureFileError("is no picture that can be read: PNG, JPEG, WebP, GIF and BMP can, and the text of a data URL")
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise PictureFileError(INSTALL) from None
    _check_size(*_webp_size(data), MOST_WEBP_PIXELS)
    try:
        with _silent(), Image.open(BytesIO(data), formats=FORMATS) as image:
            size = image.size
            _check_size(*size)
            notes = ("it is animated: the first picture was read",) if _is_animated(image) else ()
            image.draft("RGB", (LONGEST, LONGEST))  # a JPEG file can be decoded at a half or a quarter of its size
            image.load()
            turned = ImageOps.exif_transpose(_smaller(image))
            width, height = _turned_size(image, size)
            return OpenedPicture(np.array(_plain(turned), np.uint8), width, height, notes)
    except PictureFileError:
        raise
    except MemoryError:
        raise PictureFileError("needs more memory than there is") from None
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, KeyError, IndexError, ArithmeticError) as error:
        raise PictureFileError(f"is broken or cut off: {error}") from None
    except (struct.error, zlib.error, RuntimeError, NotImplementedError, Image.DecompressionBombError) as error:
        raise PictureFileError(f"is broken: {error}") from None


@contextlib.contextmanager
def _silent() -> Iterator[None]:
    """No warnings of Pillow: what they would say is said by `_check_size`."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _of_url(data: bytes) -> bytes:
    """What a data URL holds; other data as it is."""
    if data[:64].lstrip()[:5].lower() != b"data:":
        return data
    text = b"".join(data.split())
    found = _URL.match(text)
    if not found or b";base64" not in found[1].lower():
        raise PictureFileError("is no data URL of a picture: it should begin with data:image/png;base64,")
    try:
        return base64.b64decode(text[found.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise PictureFileError(f"is a data URL that is cut off or broken: {error}") from None


def _check_size(width: int, height: int, most: int = MOST_PIXELS) -> None:
    if width * height > most:
        raise PictureFileError(
            f"has {width} x {height} pixels; at most {most // 1_000_000} million are read: make it smaller first"
        )
    if min(width, height) < SHORTEST:
        raise PictureFileError(f"has {width} x {height} pixels: too few for a board")


def _webp_size(data: bytes) -> tuple[int, int]:
    """Width and height that a WebP file states, as Pillow takes memory for them before it tells them; (SHORTEST, SHORTEST) for
    other files. https://developers.google.com/speed/webp/docs/riff_container"""
    if data[:4] != b"RIFF" or len(data) < 30:
        return SHORTEST, SHORTEST
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    return int.from_bytes(data[26:28], "little") & 0x3FFF, int.from_bytes(data[28:30], "little") & 0x3FFF


def _is_animated(image: "Image") -> bool:
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _smaller(image: "Image") -> "Image":
    """The picture, its longer side at most LONGEST, before anything is done that needs copies of it."""
    factor = -(-max(image.size) // LONGEST)
    if factor <= 1 or image.mode in ("1", "P") or image.mode.startswith("I"):
        return image
    small = image.reduce(factor)
    small.info.update({key: image.info[key] for key in ("exif", "transparency") if key in image.info})
    return small


def _turned_size(image: "Image", size: tuple[int, int]) -> tuple[int, int]:
    """The size of the file's picture as its EXIF data turns it."""
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)
    return (size[1], size[0]) if turned else size


def _plain(image: "Image") -> "Image":
    """Eight bits of red, green and blue; what is transparent shows white paper."""
    from PIL import Image

    if image.mode.startswith("I"):  # 16 bits of grey
        values = np.asarray(image)
        high = values >> 8 if values.size and int(values.max()) > 255 else values
        image = Image.fromarray(np.clip(high, 0, 255).astype(np.uint8))
    elif image.mode == "F":
        raise PictureFileError("has numbers for pixels that no camera and no screen makes")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        clear = _reduced(image.convert("RGBA"))
        paper = Image.new("RGBA", clear.size, (255, 255, 255, 255))
        paper.alpha_composite(clear)
        image = paper
    return _reduced(image.convert("RGB"))


def _reduced(image: "Image") -> "Image":
    factor = -(-max(image.size) // LONGEST)
    return image.reduce(factor) if factor > 1 else image
