"""Command lines of the training scripts by tyro: a frozen dataclass in, one line on stderr for bad input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import tyro

from synesthesia.core.errors import UserError

Config = TypeVar("Config")
BAD_INPUT = 2


def run(main: Callable[[Config], object], config: type[Config], description: str | None) -> None:
    """Calls `main` with the config that the command line gives; exits with 2 and one line on a UserError."""
    try:
        main(tyro.cli(config, description=description))
    except UserError as error:
        print(f"{' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(BAD_INPUT)
