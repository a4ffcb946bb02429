"""How many files of the package a request passes, with the shipped weights: a limit for whoever adds one more."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from tools.count_files import Walk, requests

LIMITS = {"flow": 14, "tap": 20, "locate": 9}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIMITS)
def test_a_request_passes_few_files(name: str, tmp_path: Path) -> None:
    request = requests(tmp_path)[name]
    request()
    walk = Walk()
    threading.setprofile(walk)
    sys.setprofile(walk)
    try:
        request()
    finally:
        sys.setprofile(None)
        threading.setprofile(None)
    assert 5 < len(walk.visited) <= LIMITS[name], walk.visited
