"""Understands that `python -m hub` is `bro`."""

from __future__ import annotations

import sys

from hub.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
