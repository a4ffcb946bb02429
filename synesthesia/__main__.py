"""Command line: `python -m synesthesia hear PHOTO --x X --y Y --out FILE.wav`, `python -m synesthesia info`.

One object with --json on stdout, one line on stderr and exit code 2 for bad input, never a traceback for either.
"""

from __future__ import annotations

import sys

from synesthesia.cli import main

if __name__ == "__main__":
    sys.exit(main())
