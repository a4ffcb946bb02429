"""`app.py` as a process: its help, what it says of a wrong flag, and the one line that tells where the page is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "app.py", *arguments], capture_output=True, text=True, cwd=ROOT, timeout=60)


def test_help_names_the_variables_and_serves_nothing() -> None:
    done = run("--help")
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: python app.py")
    assert all(name in done.stdout for name in ("PORT", "HOST", "SYNESTHESIA_PRESET"))


def test_an_unknown_flag_is_one_line_and_exit_code_2() -> None:
    for flag in ("--port=7861", "cat.jpg"):
        done = run(flag)
        assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
        assert done.stderr.startswith("synesthesia: ") and flag in done.stderr and "--help" in done.stderr


def test_one_line_says_where_the_page_is() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = {**os.environ, "PORT": str(port), "HOST": "127.0.0.1", "SYNESTHESIA_PRESET": "embedded"}
    server = subprocess.Popen(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    assert server.stdout
    try:
        assert server.stdout.readline() == f"The page is at http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=60) as answer:
            assert answer.status == 200
        assert server.poll() is None, "it goes on serving"
    finally:
        server.terminate()
        rest, _ = server.communicate(timeout=20)
    assert rest == "", "and nothing else is printed"
