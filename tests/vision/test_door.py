"""What comes in as a picture: all kinds of files, turned, made small, or refused with a reason."""

import base64
import io
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from goengine.vision import door
from goengine.vision.door import PictureFileError, decode, is_picture, is_picture_file, read_picture
from tests.vision.boards import encoded

PICTURE = Image.fromarray(np.random.default_rng(0).integers(0, 255, (60, 80, 3)).astype(np.uint8)).resize((80, 60))
GREYS = Image.fromarray(np.linspace(0, 65535, 60 * 80).reshape(60, 80).astype(np.uint16))


def exif(turn: int) -> Image.Exif:
    found = Image.Exif()
    found[0x0112] = turn
    return found


READ = {
    "png": encoded(PICTURE),
    "jpeg": encoded(PICTURE, "JPEG"),
    "progressive": encoded(PICTURE, "JPEG", progressive=True),
    "webp": encoded(PICTURE, "WEBP"),
    "lossless webp": encoded(PICTURE, "WEBP", lossless=True),
    "bmp": encoded(PICTURE, "BMP"),
    "gif": encoded(PICTURE, "GIF"),
    "cmyk": encoded(PICTURE.convert("CMYK"), "JPEG"),
    "palette": encoded(PICTURE.convert("P")),
    "palette with a clear colour": encoded(PICTURE.convert("P"), transparency=3),
    "grey": encoded(PICTURE.convert("L")),
    "grey with alpha": encoded(PICTURE.convert("LA")),
    "alpha": encoded(PICTURE.convert("RGBA")),
    "alpha webp": encoded(PICTURE.convert("RGBA"), "WEBP"),
    "one bit": encoded(PICTURE.convert("1")),
    "16 bits": encoded(GREYS),
    "data url": b"data:image/png;base64," + base64.b64encode(encoded(PICTURE)),
    "data url in lines": b" data:image/webp;base64,\n" + base64.encodebytes(encoded(PICTURE, "WEBP")),
}
PNG, JPEG, WEBP = (encoded(PICTURE, form) for form in ("PNG", "JPEG", "WEBP"))
HUGE_WEBP = b"RIFF\x00\x00\x10\x00WEBPVP8X\n\x00\x00\x00\x00\x00\x00\x00\xff\x3e\x00\xff\x3e\x00" + bytes(100)
REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"hello", "is no picture that can be read"),
    "an sgf file": (b"(;GM[1]SZ[9])", "is no picture that can be read"),
    "half a png": (PNG[: len(PNG) // 2], "broken or cut off"),
    "a png's head": (PNG[:20], "broken or cut off"),
    "half a jpeg": (JPEG[: len(JPEG) // 2], "broken or cut off"),
    "a jpeg's head": (JPEG[:30], "broken or cut off"),
    "half a webp": (WEBP[: len(WEBP) // 2], "broken or cut off"),
    "a webp's head": (WEBP[:16], "broken or cut off"),
    "noise behind a head": (PNG[:8] + bytes(range(256)), "broken"),
    "one pixel": (encoded(Image.new("RGB", (1, 1))), "has 1 x 1 pixels: too few for a board"),
    "a line": (encoded(Image.new("RGB", (3000, 2))), "too few for a board"),
    "100 megapixels": (encoded(Image.new("1", (10_000, 10_000))), "has 10000 x 10000 pixels; at most 64 million"),
    "a webp that says it is large": (HUGE_WEBP, "has 16128 x 16128 pixels; at most 40 million"),
    "a cut data url": (READ["data url"][:-101], "data URL that is cut off or broken"),
    "another data url": (b"data:text/plain,hello", "no data URL of a picture"),
}


@pytest.mark.parametrize("name", READ)
def test_pictures_are_read(name):
    found = decode(READ[name])
    assert is_picture(READ[name][:32])
    assert found.pixels.shape == (60, 80, 3) and found.pixels.dtype == np.uint8
    assert (found.width, found.height, found.scale, found.notes) == (80, 60, 1.0, ())
    assert np.ptp(found.pixels) > 100


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_is_refused_with_a_reason(name):
    data, reason = REFUSED[name]
    with pytest.raises(PictureFileError, match=reason):
        decode(data)


def test_sixteen_bits_keep_their_greys():
    pixels = decode(READ["16 bits"]).pixels[:, :, 0]
    assert pixels[0, 0] < 3 and pixels[-1, -1] > 252 and (np.diff(pixels.astype(int).ravel()) >= 0).all()


def test_what_is_clear_shows_white():
    clear = Image.new("RGBA", (40, 40), (0, 0, 0, 0))
    assert decode(encoded(clear)).pixels.min() == 255


@pytest.mark.parametrize("turn", range(1, 9))
def test_the_camera_is_held_upright(turn):
    """EXIF's eight ways to hold it: the dark corner comes where the tag says that it belongs."""
    picture = Image.new("RGB", (80, 60), "white")
    picture.paste((0, 0, 0), (0, 0, 40, 20))  # the first row's beginning
    found = decode(encoded(picture, "JPEG", quality=95, exif=exif(turn)))
    height, width = found.pixels.shape[:2]
    assert (width, height) == ((80, 60) if turn < 5 else (60, 80)) == (found.width, found.height)
    bottom, right = turn in (3, 4, 7, 8), turn in (2, 3, 6, 7)
    corner = found.pixels[height - 5 if bottom else 5, width - 5 if right else 5]
    assert corner.max() < 60


def test_of_an_animation_the_first_picture_is_read():
    for form in ("GIF", "WEBP", "PNG"):
        data = encoded(
            Image.new("RGB", (40, 40), "red"), form, save_all=True, append_images=[Image.new("RGB", (40, 40), "blue")]
        )
        found = decode(data)
        assert found.notes == ("it is animated: the first picture was read",)
        assert found.pixels[20, 20, 0] > 200 > found.pixels[20, 20, 2]


def test_large_pictures_are_made_smaller():
    for form in ("PNG", "JPEG"):
        found = decode(encoded(Image.new("RGB", (5000, 4200)), form))
        assert (found.width, found.height) == (5000, 4200)
        assert max(found.pixels.shape) <= door.LONGEST and found.scale == 5000 / found.pixels.shape[1]


def test_files(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(PNG)
    assert read_picture(path).width == 80 and is_picture_file(path)
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(READ["data url"])))
    assert read_picture("-").width == 80
    assert not is_picture_file(tmp_path) and not is_picture_file(tmp_path / "none") and not is_picture_file("a\0b")
    for name, reason in ((tmp_path, "is a folder"), (tmp_path / "none", "No such file"), ("a\0b", "null")):
        with pytest.raises(PictureFileError, match=reason):
            read_picture(name)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mode, form", [("RGB", "PNG"), ("RGBA", "PNG"), ("P", "PNG"), ("I;16", "PNG"), ("CMYK", "JPEG"), ("RGB", "JPEG")]
)
def test_to_read_the_largest_pictures_takes_less_than_a_gigabyte(tmp_path, mode, form):
    path = tmp_path / "large"
    path.write_bytes(encoded(Image.new(mode, (8000, 8000)), form))
    program = (
        "import resource\nfrom goengine.commands.read import main\n"
        f"print(main([{str(path)!r}]), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    status, most = done.stdout.split()
    assert int(status) == 1 and "shows no Go board" in done.stderr
    assert int(most) * (1 if sys.platform == "darwin" else 1024) < 1e9
