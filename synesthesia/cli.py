"""The sub-commands of `python -m synesthesia`, one function each."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, NoReturn

from synesthesia.core import recipe
from synesthesia.core.errors import UserError
from synesthesia.core.requests import PATHS, Setting, plain, request_type, settings_of
from synesthesia.core.results import Heard
from synesthesia.studio import Studio

BAD_INPUT = 2
_EXAMPLES = """examples:
  python -m synesthesia hear photo.jpg --x 420 --y 310 --out bark.wav
  python -m synesthesia hear photo.jpg --x 420 --y 310 --path mlp --seconds 8 --seed 7 --out other.wav
  python -m synesthesia hear photo.jpg --x 420 --y 310 --path language --temperature 0.9 --top-k 50 --out both_ears.wav
  python -m synesthesia hear photo.jpg --x 420 --y 310 --path tap --force 12 --mallet wood --out struck.wav --json
  python -m synesthesia hear photo.jpg --x 420 --y 310 --path tap --material glass --size-factor 2 --out glass.wav
  python -m synesthesia hear photo.jpg --x 12 --y 9 --anyway --out wall.wav --json
  python -m synesthesia hear photo.jpg --x 420 --y 310 --out bark.wav --save-recipe bark.json
  python -m synesthesia hear photo.jpg --recipe bark.json --out the_very_same.wav
"""


def _settings() -> dict[str, dict[str, Setting]]:
    """Every setting that takes a value: {name: {path: setting}} of the paths that have it."""
    found: dict[str, dict[str, Setting]] = {}
    for path in PATHS:
        for name, setting in settings_of(request_type(path)).items():
            if setting.kind is not bool:
                found.setdefault(name, {})[path] = setting
    return found


SETTINGS = _settings()


def _help(by_path: dict[str, Setting]) -> str:
    """What a setting does, for which paths, its bounds and its defaults."""
    one = next(iter(by_path.values()))
    of = "" if len(by_path) == len(PATHS) else f"of {', '.join(by_path)}: "
    bounds = "" if one.low is None or one.high is None else f", {plain(one.low)} to {plain(one.high)}"
    others = "".join(f", of {path} {each.default}" for path, each in by_path.items() if each.default != one.default)
    default = f" (default: {one.default}{others})" if one.default != "" else ""
    choices = f": {', '.join(each for each in one.choices if each)}" if one.choices else ""
    return f"{of}{one.description}{choices}{bounds}{default}"


def _value(text: str) -> float | str:
    """A number where the text is one; the request refuses the rest in a sentence that names the setting."""
    try:
        return float(text)
    except ValueError:
        return text


HELP = {name: _help(by_path) for name, by_path in SETTINGS.items()}


class _Parser(argparse.ArgumentParser):
    """argparse, but a mistake is one line on stderr (its usage text would be several), and no flag is abbreviated."""

    def __init__(self, **options: Any) -> None:
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]} (see `{self.prog} --help`).")


def parser() -> argparse.ArgumentParser:
    shape = argparse.RawDescriptionHelpFormatter
    top = _Parser(prog="python -m synesthesia", description="Click a patch of a photograph and hear it.")
    commands = top.add_subparsers(dest="command", required=True, metavar="hear|locate|info", parser_class=_Parser)

    hear = commands.add_parser(
        "hear", help="the sound of one place of a photograph", formatter_class=shape, epilog=_EXAMPLES,
        description="Writes what the place at natural pixel (x, y) of a photograph sounds like, as a 16-bit WAV file.",
    )  # fmt: skip
    hear.add_argument("photo", metavar="PHOTO", help="JPEG, PNG, WebP, GIF, BMP, TIFF or AVIF file")
    hear.add_argument("--x", type=float, help="pixels from the left edge of the upright photograph")
    hear.add_argument("--y", type=float, help="pixels from its top edge")
    hear.add_argument("--out", required=True, metavar="FILE.wav", help="the sound is written here")
    hear.add_argument(
        "--path", metavar="direct|flow|mlp|language|tap", help="how a patch becomes a sound (default: direct, = flow; "
        "language: stereo; tap: the object there is struck)",
    )  # fmt: skip
    for by_path in SETTINGS.values():
        one = next(iter(by_path.values()))
        hear.add_argument(
            flags([one.name]), type=str if one.kind is str else _value, metavar=one.name.upper(), help=HELP[one.name]
        )
    hear.add_argument("--anyway", action="store_true", help="generate even where presence is below the threshold")
    hear.add_argument("--recipe", type=Path, metavar="FILE.json", help="place and all settings from a saved recipe")
    hear.add_argument("--save-recipe", type=Path, metavar="FILE.json", help="also write this sound's recipe")
    hear.add_argument("--preset", help="embedded (default) or hub")
    hear.add_argument("--json", action="store_true", help="print one JSON object with presence, evidence and recipe")

    locate = commands.add_parser(
        "locate", help="where the sound of a binaural clip comes from", formatter_class=shape,
        description="Azimuth of a two-channel recording made at the ears: 0 in front, positive to the right.",
        epilog="examples:\n  python -m synesthesia locate clip.wav\n  python -m synesthesia locate clip.wav --json\n"
        '  python -m synesthesia locate clip.wav --ask "Where is it?"\n',
    )  # fmt: skip
    locate.add_argument("clip", metavar="CLIP.wav", help="WAV, FLAC, Ogg or MP3 file, left ear first, 0.2 to 60 s")
    locate.add_argument("--ask", metavar="QUESTION", help="print what the small language model answers instead")
    locate.add_argument("--preset", default="embedded", help="embedded (default) or hub")
    locate.add_argument("--json", action="store_true", help="print one JSON object")

    info = commands.add_parser(
        "info", help="preset, models, licences, limits", formatter_class=shape,
        epilog="examples:\n  python -m synesthesia info\n  python -m synesthesia info --preset hub --json\n",
    )  # fmt: skip
    info.add_argument("--preset", default="embedded", help="embedded (default) or hub")
    info.add_argument("--json", action="store_true", help="print one JSON object")
    return top


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code: 0 done, 2 bad input (one line on stderr), 130 interrupted."""
    try:
        args = parser().parse_args(arguments)
        return {"hear": _hear, "locate": _locate, "info": _info}[args.command](args)
    except UserError as error:
        print(f"synesthesia: {' '.join(str(error).split())}", file=sys.stderr)
        return BAD_INPUT
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _hear(args: argparse.Namespace) -> int:
    out = Path(args.out)
    _check_writable(out)
    if out.suffix.lower() != ".wav":
        raise UserError(f"The sound is written as WAV: name a file that ends in .wav, not {out.name}.")
    if args.save_recipe:
        _check_writable(args.save_recipe)
        _check_apart(args.save_recipe, [out, Path(args.photo), *([args.recipe] if args.recipe else [])])
    _check_apart(out, [Path(args.photo)])
    heard = _from_recipe(args) if args.recipe else _from_options(args)

    from synesthesia.audio.files import wav_bytes

    _write(out, wav_bytes(heard.waveform, heard.sample_rate))
    if args.save_recipe:
        _write(args.save_recipe, recipe.to_json(heard.recipe).encode())
    print(json.dumps({**summary(heard), "out": str(out)}, indent=2) if args.json else _sentence(heard, out))
    return 0


def _from_options(args: argparse.Namespace) -> Heard:
    if args.x is None or args.y is None:
        raise UserError("Give the place with --x and --y, or a saved sound with --recipe.")
    path = args.path or "direct"
    settings = {name: getattr(args, name) for name in SETTINGS if getattr(args, name) is not None}
    for name in settings.keys() - request_type(path).model_fields.keys():
        raise UserError(f"{flags([name])} can only be given with --path {' or '.join(SETTINGS[name])}.")
    settings.setdefault("seconds", settings_of(request_type(path))["seconds"].default)
    studio = Studio.load(args.preset or "embedded")
    return studio.hear(args.photo, args.x, args.y, path=path, anyway=args.anyway, **settings)


def flags(names: list[str]) -> str:
    """As they are typed: --size-factor, --force."""
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _from_recipe(args: argparse.Namespace) -> Heard:
    clashing = [name for name in ("x", "y", "path", *SETTINGS, "preset") if getattr(args, name) is not None]
    if clashing or args.anyway:
        raise UserError(f"A recipe already holds every setting: leave out {flags(clashing or ['anyway'])}.")
    saved = recipe.read_recipe(args.recipe)
    studio = Studio.load(saved.preset)
    studio.check_recipe(args.photo, saved)
    return studio.hear(args.photo, saved.x, saved.y, path=saved.path, **saved.settings())


def summary(heard: Heard) -> dict[str, object]:
    """The contract's fields without arrays, ready for JSON."""
    tokens = heard.tokens
    token_fields = {} if tokens is None else {
        "tokens": {"ears": tokens.codes.shape[0], "codebooks": tokens.codes.shape[1], "frames": tokens.codes.shape[2],
                   "lead_s": tokens.itd_s, "takes": tokens.takes, "take": tokens.take},
    }  # fmt: skip
    return {
        "presence": round(heard.presence, 4),
        "silent": heard.silent,
        "sample_rate": heard.sample_rate,
        "seconds": heard.seconds,
        "row": heard.row,
        "col": heard.col,
        "box_px": list(heard.box_px),
        "evidence": asdict(heard.evidence),
        "recipe": heard.recipe.model_dump(),
        **token_fields,
        **({} if heard.blow is None else {"blow": heard.blow.to_dict()}),
    }


def _sentence(heard: Heard, out: Path) -> str:
    position = f"row {heard.row}, column {heard.col}, presence {heard.presence:.2f}"
    if heard.silent:
        nothing = "There is nothing to strike here" if heard.recipe.path == "tap" else "Nothing here makes a sound"
        return f"{nothing} ({position}): {out} holds silence; --anyway generates a sound."
    if heard.blow is not None:
        impact = heard.blow
        return (
            f"{out}: {heard.seconds:g} s from {position}; struck with {impact.force_n:g} N ({impact.mallet}): "
            f"{impact.material}, {impact.shape}, {100 * impact.size_m:.3g} cm{' (what if)' if impact.what_if else ''}."
        )
    labels = ", ".join(f"{one.label} {one.score:.2f}" for one in heard.evidence.labels[:3])
    return f"{out}: {heard.seconds:g} s from {position}; heard in it: {labels or 'nothing known'}."


def _locate(args: argparse.Namespace) -> int:
    from synesthesia.audio.files import read_audio

    studio, clip = Studio.load(args.preset), read_audio(args.clip)
    if args.ask is not None and not args.json:
        print(" ".join(studio.ask(*clip, args.ask).text.split()))
        return 0
    located = studio.locate(*clip)
    if not args.json:
        print(" ".join(part for part in (located.warning, located.sentence) if part))
        return 0
    fields = located.to_dict()
    if args.ask is not None:
        answered = studio.ask(*clip, args.ask)
        fields |= {"question": answered.question, "answer": answered.text}
    print(json.dumps(fields, indent=2))
    return 0


def _info(args: argparse.Namespace) -> int:
    info = Studio.load(args.preset).info()
    if args.json:
        print(json.dumps({**asdict(info), "libraries": dict(info.libraries)}, indent=2))
        return 0
    print(f"synesthesia {info.version}, preset {info.preset}, device {info.device}, paths {', '.join(info.paths)}")
    for one in info.checkpoints:
        state = f"{one.megabytes:.1f} MB" if one.megabytes else ("from the hub" if one.present else "MISSING")
        print(f"  {one.role:16} {one.where}{'@' + one.revision[:12] if one.revision else ''}  {one.licence}  {state}")
    print(f"limits: {info.limits}\ncite: {info.citation}")
    return 0


def _check_writable(path: Path) -> None:
    """Checked before a sound is made. UserError when the file can not be written there."""
    folder = path.parent
    if path.is_dir():
        raise UserError(f"{path} is a folder; name a file.")
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder} to write {path.name} into.")
    try:
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(f"The folder {folder} can't be written to ({error.strerror}).") from None


def _check_apart(target: Path, others: list[Path]) -> None:
    """Nothing that was given is overwritten, and no two results go to one file."""
    if any(target.absolute() == other.absolute() or (target.exists() and other.exists() and target.samefile(other))
           for other in others):  # fmt: skip
        raise UserError(f"{target} is already the name of the photograph, the sound or the recipe: choose another one.")


def _write(path: Path, data: bytes) -> None:
    """All or nothing: an older file of that name stays until the new one is complete."""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
            file.write(data)
        os.chmod(file.name, 0o644)
        os.replace(file.name, path)
    except OSError as error:
        raise UserError(f"{path} can't be written ({error.strerror}).") from None
