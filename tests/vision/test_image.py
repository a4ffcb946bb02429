"""Image loading: EXIF, transparency, 16 bits, animations, damaged files, decompression bombs."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from synesthesia.core.errors import UserError
from synesthesia.vision import image as reading
from synesthesia.vision.image import picture_key, read_image


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """A few bytes that claim any size: the pixels behind the header would unfold to width x height."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.fixture
def corners() -> Image.Image:
    """40 x 20, red above left, green above right, blue below: a turn shows."""
    pixels = np.zeros((20, 40, 3), dtype=np.uint8)
    pixels[:10, :20, 0] = pixels[:10, 20:, 1] = pixels[10:, :, 2] = 255
    return Image.fromarray(pixels)


def test_plain_formats_keep_their_pixels(corners: Image.Image) -> None:
    for kind in ("PNG", "BMP", "TIFF", "PPM"):
        assert picture_key(read_image(encoded(corners, kind))) == picture_key(corners), kind
    for kind in ("JPEG", "WEBP", "AVIF", "GIF"):
        assert read_image(encoded(corners, kind)).size == (40, 20), kind


def test_a_path_bytes_and_a_picture_are_the_same(corners: Image.Image, tmp_path) -> None:
    path = tmp_path / "a.png"
    corners.save(path)
    keys = {picture_key(read_image(source)) for source in (path, str(path), path.read_bytes(), corners)}
    assert len(keys) == 1


def test_exif_turns_the_photograph(corners: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees clockwise
    turned = read_image(encoded(corners, "JPEG", exif=exif, quality=95))
    assert turned.size == (20, 40)
    assert turned.getpixel((15, 5))[0] > 200  # red is now above right
    assert turned.getpixel((15, 35))[1] > 200  # green below right


def test_transparency_is_laid_on_white() -> None:
    clear = Image.new("RGBA", (32, 32), (255, 0, 0, 0))
    for picture in (clear, clear.convert("LA"), clear.convert("P")):
        assert read_image(encoded(picture, "PNG")).getpixel((5, 5)) == (255, 255, 255), picture.mode
    half = Image.new("RGBA", (32, 32), (0, 0, 0, 128))
    assert read_image(half).getpixel((0, 0)) == (127, 127, 127)


def test_sixteen_bits_are_scaled_not_clipped() -> None:
    ramp = np.linspace(0, 65535, 64 * 64).reshape(64, 64).astype(np.uint16)
    for kind in ("PNG", "TIFF"):
        grey = np.asarray(read_image(encoded(Image.fromarray(ramp), kind)))[..., 0]
        assert grey[0, 0] == 0, kind
        assert grey[-1, -1] == 255, kind
        assert abs(int(grey[32, 0]) - 128) <= 2, kind


def test_float_and_wide_integers() -> None:
    ramp = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    for values in (ramp, ramp * 1e6 - 5e5, (ramp * 2e9).astype(np.int32)):
        grey = np.asarray(read_image(Image.fromarray(values)))[..., 0]
        assert (grey[0, 0], grey[-1, -1]) == (0, 255)
    broken = ramp.copy()
    broken[0, 0] = np.nan
    assert read_image(Image.fromarray(broken)).mode == "RGB"


def test_grey_palette_cmyk_and_one_bit() -> None:
    colour = Image.new("RGB", (32, 32), (200, 40, 40))
    for mode in ("L", "P", "1"):
        assert read_image(encoded(colour.convert(mode), "PNG")).mode == "RGB", mode
    cmyk = read_image(encoded(colour.convert("CMYK"), "JPEG", quality=95))
    assert np.abs(np.asarray(cmyk, dtype=int)[5, 5] - (200, 40, 40)).max() < 12


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        red, green, blue = read_image(data).getpixel((16, 16))
        assert red > 200, kind
        assert max(green, blue) < 60, kind


def test_the_input_picture_is_left_alone(corners: Image.Image) -> None:
    clear = corners.convert("RGBA")
    read_image(clear)
    assert clear.mode == "RGBA"


def test_broken_exif_is_no_reason_to_refuse(corners: Image.Image) -> None:
    data = encoded(corners, "JPEG", exif=b"Exif\x00\x00MM\x00*\xff\xff\xff\xff")
    assert read_image(data).size == (40, 20)


BAD = {
    "text": (b"this is not a picture at all", "not a photograph"),
    "empty": (b"", "0 bytes"),
    "svg": (b"<?xml version='1.0'?>\n<svg xmlns='http://www.w3.org/2000/svg'/>", "SVG"),
    "heic": (b"\x00\x00\x00\x18ftypheic" + bytes(64), "HEIC"),
    "postscript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "not a photograph"),
    "bomb": (png_of_size(20_000, 20_000), "too large"),
    "just too large": (png_of_size(10_000, 9_000), "10000 x 9000"),
    "thin": (png_of_size(20_000, 20), "too narrow"),
    "one pixel": (png_of_size(1, 1), "1 x 1"),
    "no pixels": (png_of_size(100, 100), "damaged"),
    "header alone": (b"\x89PNG\r\n\x1a\n", "not a photograph"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_bytes_are_one_sentence(name: str) -> None:
    data, words = BAD[name]
    with pytest.raises(UserError) as caught:
        read_image(data)
    sentence = str(caught.value)
    assert words in sentence
    assert "\n" not in sentence
    assert sentence.endswith(".")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF"])
def test_truncated_files_are_refused(cat: Image.Image, kind: str) -> None:
    data = encoded(cat, kind)
    for share in (0.9, 0.5, 0.1):
        with pytest.raises(UserError):
            read_image(data[: int(len(data) * share)])


def test_a_bomb_is_refused_before_it_unfolds() -> None:
    import tracemalloc

    tracemalloc.start()
    with pytest.raises(UserError):
        read_image(png_of_size(20_000, 20_000))
    peak_bytes = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak_bytes < 5_000_000


def test_missing_file_folder_and_heavy_file(tmp_path) -> None:
    with pytest.raises(UserError, match="There is no file"):
        read_image(tmp_path / "none.jpg")
    with pytest.raises(UserError, match="folder"):
        read_image(tmp_path)
    with pytest.raises(UserError, match="can't be read"):
        read_image("a\0b.jpg")
    heavy = tmp_path / "heavy.png"
    with heavy.open("wb") as file:
        file.truncate(60_000_000)
    with pytest.raises(UserError, match="60 MB"):
        read_image(heavy)
    with pytest.raises(UserError, match="60 MB"):
        read_image(b"x" * 60_000_000)


def test_a_picture_object_is_checked_too() -> None:
    with pytest.raises(UserError):
        read_image(Image.new("RGB", (1, 1)))
    huge = Image.new("1", (reading.MAX_PIXELS // 1000 + 1, 1000))
    with pytest.raises(UserError, match="too large"):
        read_image(huge)
