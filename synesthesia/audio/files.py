"""Audio file input and output with soundfile: headers checked before samples are read, one sentence for bad files.

The page and the command line get 16-bit WAV, never a lossy format, which would damage interaural differences. Uploads
are untrusted: everything about them is checked.
"""

from __future__ import annotations

import io
import math
from pathlib import Path

import numpy as np
import soundfile

from synesthesia.core.errors import UserError

MAX_FILE_BYTES = 50_000_000
MAX_VALUES = 60_000_000  # frames x channels: ten minutes of stereo at 48 kHz
MAX_CHANNELS = 16
RATES_HZ = (1_000, 384_000)


def read_audio(path: str | Path) -> tuple[np.ndarray, int]:
    """A sound file's float32 (channels, n) in about [-1, 1] and its sample rate in Hz.

    UserError when it is missing, empty, too large, not a sound file, cut off before its first sample, or contains NaN
    or infinity.
    """
    path = Path(path)
    name = path.name
    if path.is_dir():
        raise UserError(f"{path} is a folder, not a sound file.")
    if not path.is_file():
        raise UserError(f"There is no sound file {name}.")
    size = path.stat().st_size
    if size == 0:
        raise UserError(f"The sound file {name} is empty (0 bytes).")
    if size > MAX_FILE_BYTES:
        raise UserError(
            f"The sound file {name} has {size / 1e6:.0f} MB; at most {MAX_FILE_BYTES / 1e6:.0f} MB are read."
        )
    try:
        with soundfile.SoundFile(path) as file:
            _check_header(name, file.frames, file.channels, file.samplerate)
            samples, rate_hz = file.read(dtype="float32", always_2d=True), file.samplerate
    except PermissionError:
        raise UserError(f"The sound file {name} may not be read.") from None
    except (soundfile.SoundFileError, RuntimeError, OSError, TypeError):
        raise UserError(f"The file {name} can't be read as sound; use WAV, FLAC, Ogg or MP3.") from None
    if len(samples) == 0:
        raise UserError(f"The sound file {name} holds no samples.")
    if not np.isfinite(samples).all():
        raise UserError(f"The sound file {name} holds values that are not numbers.")
    return np.ascontiguousarray(samples.T), int(rate_hz)


def _check_header(name: str, frames: int, channels: int, rate_hz: int) -> None:
    """UserError when the sizes in the header are out of range."""
    if frames <= 0:
        raise UserError(f"The sound file {name} holds no samples.")
    if channels > MAX_CHANNELS:
        raise UserError(f"The sound file {name} has {channels} channels; at most {MAX_CHANNELS} are read.")
    if frames * channels > MAX_VALUES:
        minutes = frames / rate_hz / 60
        raise UserError(
            f"The sound file {name} lasts {minutes:.0f} minutes with {channels} channels; "
            f"at most {MAX_VALUES / 1e6:.0f} million samples are read."
        )
    if not RATES_HZ[0] <= rate_hz <= RATES_HZ[1]:
        raise UserError(f"The sound file {name} has a sample rate of {rate_hz} Hz, which is out of range.")


def resample(waveform: np.ndarray, rate_hz: int, target_hz: int) -> np.ndarray:
    """float32 (channels, n) at `rate_hz` -> (channels, round(n * target / rate)) at `target_hz`, band-limited."""
    assert waveform.ndim == 2, f"waveform must be (channels, n), got {waveform.shape}"
    if rate_hz == target_hz:
        return waveform
    from scipy.signal import resample_poly

    common = math.gcd(rate_hz, target_hz)
    resampled = resample_poly(waveform, target_hz // common, rate_hz // common, axis=1)
    return np.asarray(resampled[:, : max(1, round(waveform.shape[1] * target_hz / rate_hz))], dtype=np.float32)


def wav_bytes(waveform: np.ndarray, sample_rate_hz: int) -> bytes:
    """A 16-bit WAV file of float (channels, n) in [-1, 1]; values outside are clipped."""
    assert waveform.ndim == 2, f"waveform must be (channels, n), got {waveform.shape}"
    assert np.isfinite(waveform).all(), "waveform holds values that are not numbers"
    whole = np.round(np.clip(waveform, -1.0, 1.0) * 32767.0).astype(np.int16)
    buffer = io.BytesIO()
    soundfile.write(buffer, whole.T, sample_rate_hz, format="WAV", subtype="PCM_16")
    return buffer.getvalue()
