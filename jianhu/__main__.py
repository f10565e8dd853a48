"""Lets ``python -m jianhu`` be the command line."""

from __future__ import annotations

from jianhu.cli import main

if __name__ == "__main__":
    main()
