"""``make bench``: measure and print."""

from __future__ import annotations

import argparse
import os
import platform
from importlib.metadata import version

from benchmarks.judge import measure


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="make bench ARGS=…", description="What one core judges.")
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--frames", type=int, nargs="+", default=[250, 2_000], help="packets in a frame")
    given = parser.parse_args()
    software = f"Python {platform.python_version()}, pyarrow {version('pyarrow')}"
    print(f"{platform.machine()}, {os.cpu_count()} cores, {software}")
    for size in given.frames:
        print(f"\n{given.sites:,} sites, {given.hours} h of minutes, {size:,} packets a frame")
        for line in measure(given.sites, given.hours, size).lines():
            print("  " + line)


if __name__ == "__main__":
    main()
