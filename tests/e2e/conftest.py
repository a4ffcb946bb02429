"""The app as a person starts it (`python app.py`, real embedded weights) and a real browser to open it with."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.browser import chromium

ROOT = Path(__file__).resolve().parents[2]
FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--no-first-run", "--autoplay-policy=document-user-activation-required", "--mute-audio",
)  # fmt: skip
STARTUP_S = 120.0  # far above the promise, which benchmark.py measures: test machines are often busy


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder drives a browser, and is skipped with the reason where there is none."""
    for item in items:
        if Path(str(item.fspath)).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.e2e)
            if not chromium():
                item.add_marker(pytest.mark.skip(reason="no Chromium found (CHROMIUM names one)"))


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """Address of a running page. The variable SYNESTHESIA_URL names one that runs already, such as a Space."""
    if os.environ.get("SYNESTHESIA_URL"):
        yield os.environ["SYNESTHESIA_URL"]
        return
    with served({"SYNESTHESIA_PRESET": "embedded"}) as address:
        yield address


@contextmanager
def served(settings: dict[str, str]) -> Iterator[str]:
    """Address of `python app.py` with these variables in its environment, until the block ends."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", **settings}
    server = subprocess.Popen([sys.executable, "app.py"], cwd=ROOT, env=environment)
    try:
        address = f"http://127.0.0.1:{port}"
        wait_for(address, server)
        yield address
    finally:
        server.terminate()
        server.wait(timeout=20)


def wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + STARTUP_S
    while time.monotonic() < end:
        assert server.poll() is None, f"app.py ended with {server.returncode}"
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"the page did not answer within {STARTUP_S:.0f} s")


@pytest.fixture(scope="session")
def browser() -> Iterator[object]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield running
        running.close()
