"""Safe image loading with Pillow: any uploaded photograph -> one upright RGB image, or a `UserError` of one sentence.

The size is checked from the header before a pixel is decoded (decompression bombs), only raster formats are tried, and
whatever a decoder raises becomes a `UserError`.
"""

from __future__ import annotations

import hashlib
import io
import os
import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from synesthesia.core.errors import UserError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF", "JPEG2000")
MAX_PIXELS = 64_000_000  # 8000 x 8000, 192 MB as RGB
MAX_FILE_BYTES = 40_000_000
MIN_SIDE_PX = 16
MAX_ASPECT = 20

# Pillow warns about broken EXIF and about images between its own two size limits; the checks below cover both.
warnings.filterwarnings("ignore", module=r"PIL\.")


def read_image(source: Image.Image | str | os.PathLike[str] | bytes) -> Image.Image:
    """An upright RGB photograph from a picture, a file's path or a file's bytes.

    EXIF orientation is applied, transparency is composited on white, 16-bit and float greys are scaled to 8 bit, CMYK
    and palettes are converted, and an animation gives its first frame. The input is not modified.
    UserError: no such file, empty, too many bytes, not an image, truncated, too small, too large, too narrow.
    """
    if isinstance(source, Image.Image):
        _check_size(*source.size)
        return _upright_rgb(source)
    if not isinstance(source, (bytes, str, os.PathLike)):
        raise UserError(f"A photograph is a PIL image, a file's path or its bytes, not {type(source).__name__}.")
    data = source if isinstance(source, bytes) else _read_file(Path(source))
    if not data:
        raise UserError("The photograph's file is empty (0 bytes).")
    if len(data) > MAX_FILE_BYTES:
        raise UserError(_too_heavy(len(data)))
    Image.init()  # registers every plugin: an unregistered format's name raises KeyError
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            _check_size(*image.size)
            return _upright_rgb(image)
    except UserError:
        raise
    except Image.DecompressionBombError:
        raise UserError(_too_large("The photograph")) from None
    except UnidentifiedImageError:
        raise UserError(_not_a_photograph(data)) from None
    except Exception as error:  # Pillow's decoders raise OSError, SyntaxError, struct.error, EOFError, ValueError ...
        raise UserError("The photograph is damaged or cut off: it can't be decoded to its end.") from error


def picture_key(image: Image.Image) -> str:
    """SHA-256 of size and pixels of an RGB image: the same photograph has the same key in every file format."""
    assert image.mode == "RGB", f"expected an RGB picture, got {image.mode}"
    digest = hashlib.sha256(f"{image.width}x{image.height}:".encode())
    digest.update(image.tobytes())
    return digest.hexdigest()


def _read_file(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise UserError(f"{path} is a folder, not a photograph.")
        if (size := path.stat().st_size) > MAX_FILE_BYTES:
            raise UserError(_too_heavy(size))
        return path.read_bytes()
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"There is no file {path}.") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL byte in the name
        raise UserError(f"The file {path} can't be read ({type(error).__name__}).") from None


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise UserError(_too_large(f"The photograph of {width} x {height} pixels"))
    if min(width, height) < MIN_SIDE_PX:
        raise UserError(
            f"The picture has only {width} x {height} pixels; at least {MIN_SIDE_PX} x {MIN_SIDE_PX} are needed."
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UserError(
            f"The picture of {width} x {height} pixels is too narrow: at most {MAX_ASPECT} times as long as wide."
        )


def _too_large(what: str) -> str:
    return f"{what} is too large: up to {MAX_PIXELS // 10**6} megapixels are read."


def _too_heavy(size_bytes: int) -> str:
    return f"The file holds {size_bytes / 1e6:.0f} MB; photographs up to {MAX_FILE_BYTES // 10**6} MB are read."


def _not_a_photograph(data: bytes) -> str:
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if b"<svg" in head:
        return "An SVG drawing is not a photograph: save it as PNG or JPEG first."
    if data[4:8] == b"ftyp":
        return "This file is a HEIC photograph or a video, which can't be read here: save a JPEG or PNG first."
    return "This file is not a photograph that can be read: JPEG, PNG, WebP, GIF, BMP, TIFF and AVIF can."


def _upright_rgb(image: Image.Image) -> Image.Image:
    if getattr(image, "n_frames", 1) > 1:
        image.seek(0)
    image.load()
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # the pixels are fine even where the EXIF block is broken
        image = image.copy()
    if image.mode.startswith(("I", "F")):  # "I;16", "I;16B", "I", "F"
        return _eight_bit_grey(image).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        page = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(page, layer).convert("RGB")
    return image.convert("RGB")


def _eight_bit_grey(image: Image.Image) -> Image.Image:
    """Scale 16-bit integers by their full range, anything else (32-bit, float) by the range that occurs."""
    values = np.asarray(image).astype(np.float32)
    values = np.nan_to_num(values, nan=0.0, posinf=0.0, neginf=0.0)
    low, high = float(values.min()), float(values.max())
    if image.mode.startswith("I") and low >= 0 and high <= 65535:
        low, high = 0.0, 65535.0 if image.mode != "I" or high > 255 else 255.0
    elif low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    scaled = (values - low) * (255.0 / max(high - low, 1e-12))
    return Image.fromarray(np.clip(np.round(scaled), 0, 255).astype(np.uint8), mode="L")
