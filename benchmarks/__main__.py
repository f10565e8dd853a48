"""``make bench``: measure and print."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks import alerts, judge, periods, scale, start_to_page, stream_throughput, year
from benchmarks.watching import BenchmarkError
from scripts.process import ServiceError

COMMANDS = {
    "stream": (stream_throughput, "packets a second through Kafka, beside Quix Streams"),
    "judge": (judge, "what one core judges, without a broker, by frame size"),
    "scale": (scale, "what a site costs, from 100 to 100 000 of them, without a broker"),
    "periods": (periods, "what months, years and areas cost: the second stage alone, days of a city's sites"),
    "year": (year, "minutes that a year of a city takes through Kafka, from some of its days"),
    "alerts": (alerts, "rule-site pairs that one worker carries, and the time from a result to its event"),
    "page": (start_to_page, "seconds from `jianhu up` to a page full of 48 h"),
}


def main(arguments: Sequence[str]) -> int:
    """Run the command line; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="What it costs, on this machine.")
    chosen = parser.add_subparsers(dest="command", required=True)
    for name, (module, told) in COMMANDS.items():
        module.add_options(chosen.add_parser(name, help=told, description=told))
    given = parser.parse_args(arguments)
    try:
        return int(COMMANDS[given.command][0].run(given))
    except (BenchmarkError, ServiceError) as cause:
        print(cause, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
