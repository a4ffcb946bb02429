"""Files for the browser, each in a folder of its own inside gradio's cache, which deletes them by age.

Sounds are 16-bit WAV files: gradio would normalise a float array to its peak.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from gradio.route_utils import API_PREFIX
from gradio.utils import get_upload_folder

from synesthesia.audio.files import wav_bytes

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from synesthesia.core.results import Heard


def served(data: bytes, name: str) -> str:
    """Path of a new file that the page may show and that no other call overwrites."""
    cache = Path(get_upload_folder())
    cache.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(dir=cache)) / name
    path.write_bytes(data)
    return str(path)


def file_url(path: str) -> str:
    """URL of a served file, relative to the page: valid behind any host and prefix."""
    return f"{API_PREFIX.lstrip('/')}/file={quote(path)}"


def served_wav(waveform: NDArray[np.float32], sample_rate_hz: int, name: str) -> str:
    """waveform: (channels, samples) float32 in [-1, 1]."""
    return served(wav_bytes(waveform, sample_rate_hz), f"{name}.wav")


def file_name(heard: Heard) -> str:
    return f"synesthesia-r{heard.row}-c{heard.col}-{heard.recipe.path}-seed{heard.recipe.seed}"
