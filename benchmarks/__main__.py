"""`python -m benchmarks [NAME ...] [--json FILE]`: measure, and print what was found."""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks import fanout, footprint

SUITES: dict[str, tuple[str, Callable[[], dict[str, Any]]]] = {
    "footprint": ("what an install weighs, an import costs and an idle server holds", footprint.measure),
    "fanout": (
        "a thousand streams of one task, and one reader that stops",
        lambda: asyncio.run(fanout.measure()),
    ),
}


def main() -> None:
    listing = "\n".join(f"  {name:<12} {words}" for name, (words, _) in SUITES.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description=f"Measure Dragoman. The measurements:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all without")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there as well")
    options = parser.parse_args()
    if unknown := set(options.names) - SUITES.keys():
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    figures: dict[str, Any] = {}
    for name in options.names or SUITES:
        print(f"{name}: {SUITES[name][0]}", file=sys.stderr)
        figures[name] = SUITES[name][1]()
        show(figures[name])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")


def show(figures: dict[str, Any]) -> None:
    width = max(len(name) for name in figures)
    for name, value in figures.items():
        print(
            f"  {name:<{width}}  {value:,.1f}" if isinstance(value, float) else f"  {name:<{width}}  {value}"
        )


if __name__ == "__main__":
    main()
