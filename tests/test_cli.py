"""The command line: one object with --json, one line and exit code 2 for bad input, nothing half-written."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from synesthesia import cli
from synesthesia.studio import Studio
from tests.ui.fake_studio import FakeStudio

ROOT = Path(__file__).resolve().parent.parent
PLACE = ["--x", "262", "--y", "115"]


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand-in eyes and ears: these tests are about words and files."""
    load = Studio.load
    monkeypatch.setattr(Studio, "load", lambda name="embedded": FakeStudio() if name == "embedded" else load(name))


@pytest.fixture
def photo(cat: Image.Image, tmp_path: Path) -> str:
    path = tmp_path / "cat.png"
    cat.save(path)
    return str(path)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]):
    def call(*arguments: object) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_hear_writes_a_wav_that_sounds(run, photo: str, tmp_path: Path) -> None:
    out = tmp_path / "a.wav"
    code, said, complaint = run("hear", photo, *PLACE, "--seconds", 2, "--out", out)
    assert (code, complaint) == (0, "")
    assert "heard in it" in said
    info = soundfile.info(out)
    assert (info.samplerate, info.frames, info.subtype, info.format) == (16_000, 32_000, "PCM_16", "WAV")
    assert np.abs(soundfile.read(out)[0]).max() > 0.05


def test_json_is_exactly_one_object_with_the_contract(run, photo: str, tmp_path: Path) -> None:
    code, said, _ = run("hear", photo, *PLACE, "--seed", 5, "--out", tmp_path / "a.wav", "--json")
    record = json.loads(said)
    assert code == 0
    assert {"presence", "silent", "sample_rate", "evidence", "recipe", "row", "col", "box_px"} <= set(record)
    assert record["recipe"]["seed"] == 5
    assert record["evidence"]["labels"][0]["label"]
    assert "waveform" not in record


def test_a_recipe_gives_the_very_same_samples(run, photo: str, tmp_path: Path) -> None:
    first, second, third = (tmp_path / f"{i}.wav" for i in range(3))
    settings = ["--path", "mlp", "--seconds", 1.25, "--seed", 9, "--guidance", 2, "--steps", 4]
    _, said, _ = run("hear", photo, *PLACE, *settings, "--out", first, "--save-recipe", tmp_path / "r.json", "--json")
    run("hear", photo, "--recipe", tmp_path / "r.json", "--out", second)
    (tmp_path / "printed.json").write_text(said)
    run("hear", photo, "--recipe", tmp_path / "printed.json", "--out", third)
    assert first.read_bytes() == second.read_bytes() == third.read_bytes()


def test_the_language_path_writes_both_ears(run, photo: str, tmp_path: Path) -> None:
    first, again = tmp_path / "a.wav", tmp_path / "b.wav"
    settings = ["--path", "language", "--seconds", 1, "--temperature", 0.5, "--top-k", 20]
    code, said, _ = run(
        "hear", photo, *PLACE, *settings, "--out", first, "--save-recipe", tmp_path / "r.json", "--json"
    )
    record = json.loads(said)
    assert code == 0 and soundfile.info(first).channels == 2
    assert (record["recipe"]["temperature"], record["recipe"]["top_k"]) == (0.5, 20)
    assert {"ears": 2, "codebooks": 4, "frames": 25}.items() <= record["tokens"].items()
    assert run("hear", photo, "--recipe", tmp_path / "r.json", "--out", again)[0] == 0
    assert first.read_bytes() == again.read_bytes()
    code, _, complaint = run("hear", photo, "--recipe", tmp_path / "r.json", "--top-k", 3, "--out", again)
    assert code == 2 and "--top-k" in complaint


def test_a_silent_place_says_so(run, tmp_path: Path) -> None:
    dark = tmp_path / "dark.png"
    Image.new("RGB", (64, 64)).save(dark)
    code, said, _ = run("hear", dark, "--x", 3, "--y", 3, "--out", tmp_path / "a.wav")
    assert code == 0
    assert "Nothing here makes a sound" in said
    assert not soundfile.read(tmp_path / "a.wav")[0].any()
    run("hear", dark, "--x", 3, "--y", 3, "--anyway", "--out", tmp_path / "a.wav")
    assert soundfile.read(tmp_path / "a.wav")[0].any()


def test_info(run) -> None:
    code, said, _ = run("info", "--json")
    record = json.loads(said)
    assert code == 0
    assert record["preset"] == "embedded"
    assert {"role", "where", "licence"} <= set(record["checkpoints"][0])
    code, said, _ = run("info", "--preset", "hub")
    assert "CC-BY-NC-SA-4.0" in said
    assert "@bef13a486a2a" in said


def test_help_has_examples(capsys: pytest.CaptureFixture[str]) -> None:
    for command in ("hear", "info"):
        with pytest.raises(SystemExit) as left:
            cli.main([command, "--help"])
        assert left.value.code == 0
        assert f"python -m synesthesia {command}" in capsys.readouterr().out


def test_help_names_every_format_the_error_offers(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main(["locate", "--help"])
    assert "WAV, FLAC, Ogg or MP3" in " ".join(capsys.readouterr().out.split())


def bad_photographs(folder: Path, cat: Image.Image) -> dict[str, Path]:
    stream = io.BytesIO()
    cat.save(stream, "JPEG")
    files = {"text": b"hello", "empty": b"", "svg": b"<svg/>", "truncated": stream.getvalue()[:9000]}
    paths = {}
    for name, data in files.items():
        paths[name] = folder / f"{name}.jpg"
        paths[name].write_bytes(data)
    paths["one pixel"] = folder / "one.png"
    Image.new("RGB", (1, 1)).save(paths["one pixel"])
    paths["bomb"] = folder / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(paths["bomb"])
    paths["60 MB"] = folder / "heavy.jpg"
    with paths["60 MB"].open("wb") as file:
        file.truncate(60_000_000)
    paths["missing"] = folder / "nowhere" / "none.jpg"
    paths["folder"] = folder
    return paths


def test_bad_photographs_are_one_line_and_exit_code_2(run, cat: Image.Image, tmp_path: Path) -> None:
    out = tmp_path / "a.wav"
    out.write_bytes(b"older")
    for name, path in bad_photographs(tmp_path, cat).items():
        code, said, complaint = run("hear", path, *PLACE, "--out", out, "--json")
        assert (code, said) == (2, ""), name
        assert complaint.startswith("synesthesia: "), name
        assert complaint.count("\n") == 1, name
    assert out.read_bytes() == b"older"  # nothing lost
    assert not list(tmp_path.glob("tmp*"))


BAD_OPTIONS = {
    "outside": ["--x", "5000", "--y", "1"],
    "nan place": ["--x", "nan", "--y", "1"],
    "no place": ["--x", "3"],
    "zero seconds": [*PLACE, "--seconds", "0"],
    "endless": [*PLACE, "--seconds", "1e9"],
    "nan seconds": [*PLACE, "--seconds", "nan"],
    "unknown path": [*PLACE, "--path", "telepathy"],
    "negative seed": [*PLACE, "--seed", "-3"],
    "seed in words": [*PLACE, "--seed", "three"],
    "too many steps": [*PLACE, "--steps", "500"],
    "too hot": [*PLACE, "--temperature", "3"],
    "no codes": [*PLACE, "--top-k", "0"],
    "too soft": [*PLACE, "--path", "tap", "--force", "0.1"],
    "too hard": [*PLACE, "--path", "tap", "--force", "1000"],
    "force in words": [*PLACE, "--path", "tap", "--force", "hard"],
    "unknown mallet": [*PLACE, "--path", "tap", "--mallet", "hammer"],
    "unknown material": [*PLACE, "--path", "tap", "--material", "gold"],
    "too large": [*PLACE, "--path", "tap", "--size-factor", "9"],
    "force without tap": [*PLACE, "--force", "12"],
    "material without tap": [*PLACE, "--path", "mlp", "--material", "glass"],
    "tap outside": ["--x", "5000", "--y", "1", "--path", "tap"],
    "recipe and force": ["--recipe", "none.json", "--force", "3"],
    "recipe and size": ["--recipe", "none.json", "--size-factor", "3"],
    "unknown option": [*PLACE, "--volume", "11"],
    "abbreviated option": [*PLACE, "--step", "3"],
    "half a step": [*PLACE, "--steps", "1.5"],
    "temperature of flow": [*PLACE, "--temperature", "0.5"],
    "unknown preset": [*PLACE, "--preset", "cloud"],
    "missing recipe": ["--recipe", "none.json"],
    "recipe and seed": ["--recipe", "none.json", "--seed", "1"],
    "recipe and anyway": ["--recipe", "none.json", "--anyway"],
}


@pytest.mark.parametrize("name", BAD_OPTIONS)
def test_bad_options_are_one_line_and_exit_code_2(run, photo: str, tmp_path: Path, name: str) -> None:
    code, said, complaint = run("hear", photo, *BAD_OPTIONS[name], "--out", tmp_path / "a.wav")
    assert (code, said) == (2, "")
    assert complaint.startswith("synesthesia: ")
    assert complaint.count("\n") == 1
    assert not (tmp_path / "a.wav").exists()


@pytest.mark.parametrize("arguments", [[], ["sing"], ["hear"], ["info", "--preset", "x"]])
def test_bad_commands_are_one_line_and_exit_code_2(run, arguments: list[str]) -> None:
    code, said, complaint = run(*arguments)
    assert (code, said) == (2, "")
    assert complaint.count("\n") == 1


def test_what_was_given_is_never_overwritten(run, photo: str, tmp_path: Path) -> None:
    before = Path(photo).read_bytes()
    wav = tmp_path / "a.wav"
    (tmp_path / "photo.wav").write_bytes(before)  # a picture by a strange name
    for arguments in (
        [photo, *PLACE, "--out", photo],
        [tmp_path / "photo.wav", *PLACE, "--out", tmp_path / "photo.wav"],
        [photo, *PLACE, "--out", wav, "--save-recipe", wav],
        [photo, *PLACE, "--out", wav, "--save-recipe", photo],
        [photo, *PLACE, "--out", tmp_path / "a.mp3"],
    ):
        code, said, complaint = run("hear", *arguments)
        assert (code, said, complaint.count("\n")) == (2, "", 1), arguments
    assert Path(photo).read_bytes() == before == (tmp_path / "photo.wav").read_bytes() and not wav.exists()


def test_bad_output_places(run, photo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    for out in (tmp_path / "no" / "a.wav", tmp_path):
        code, _, complaint = run("hear", photo, *PLACE, "--out", out)
        assert code == 2
        assert "folder" in complaint
    monkeypatch.setattr(cli.tempfile, "NamedTemporaryFile", refuse)  # root may write anywhere, so pretend
    code, _, complaint = run("hear", photo, *PLACE, "--out", tmp_path / "a.wav")
    assert code == 2
    assert "can't be written to (Permission denied)" in complaint


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write into read-only folders")
def test_a_read_only_folder(run, photo: str, tmp_path: Path) -> None:
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o555)
    code, _, complaint = run("hear", photo, *PLACE, "--out", locked / "a.wav")
    assert code == 2
    assert complaint.count("\n") == 1


def test_another_photograph_refuses_the_recipe(run, photo: str, tmp_path: Path) -> None:
    run("hear", photo, *PLACE, "--out", tmp_path / "a.wav", "--save-recipe", tmp_path / "r.json")
    other = tmp_path / "other.png"
    Image.new("RGB", (300, 300), "white").save(other)
    code, _, complaint = run("hear", other, "--recipe", tmp_path / "r.json", "--out", tmp_path / "b.wav")
    assert code == 2
    assert "another photograph" in complaint


def test_as_a_process_without_weights(photo: str, tmp_path: Path) -> None:
    """The real entry point, no stand-ins: exit code, one line, no traceback."""
    environment = {**os.environ, "SYNESTHESIA_CHECKPOINTS": str(tmp_path / "none")}
    command = [sys.executable, "-m", "synesthesia", "hear", photo, *PLACE, "--out", str(tmp_path / "a.wav")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "missing" in done.stderr
