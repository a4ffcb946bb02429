"""The app as a person starts it (`python app.py`, real embedded weights), the same page over tiny random weights, and a
real browser. Servers are shared by all tests, browser contexts by the tests of a module: their cache holds the page's
code."""

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
from typing import Any

import pytest

from synesthesia import Studio
from synesthesia.core import checkpoints
from synesthesia.ui.page import build_page, launch
from tests.browser import chromium
from tests.e2e.driving import DESK, PHONE
from tests.tiny import write_checkpoints
from tests.vlm_to_sound.tiny import write_vlm_to_sound

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
def tiny_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a page over tiny random weights, in this process. All of them are loaded before the variable that
    names their folder is gone."""
    folder = tmp_path_factory.mktemp("tiny") / "checkpoints"
    write_checkpoints(folder)
    write_vlm_to_sound(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(checkpoints.ROOT_VARIABLE, str(folder))
        studio = Studio.load("embedded")
        studio.warm()
        studio.services.vlm_to_sound.warm()
        _ = studio.services.localization, studio.services.hrtf
        page = build_page(studio)
    yield launch(page)
    page.close()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="the package playwright is not installed")
    with playwright.sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture(scope="module")
def requested() -> list[str]:
    """Addresses that the desk browser of this module has asked for so far."""
    return []


@pytest.fixture(scope="module")
def desk(browser: Any, requested: list[str]) -> Iterator[Any]:
    """A browser profile on a desk."""
    context = browser.new_context(viewport=DESK)
    context.on("request", lambda request: requested.append(request.url))
    yield context
    context.close()


@pytest.fixture(scope="module")
def phone(browser: Any) -> Iterator[Any]:
    """A browser profile on a phone."""
    context = browser.new_context(viewport=PHONE, device_scale_factor=2, is_mobile=True, has_touch=True)
    yield context
    context.close()
