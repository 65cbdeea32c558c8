"""Answer one question again: `python -m benchmarks.studies NAME`."""

import argparse
import asyncio
import json
from collections.abc import Callable
from typing import Any

from benchmarks.studies import before_after, durability, footprint, parked, polyglot

STUDIES: dict[str, Callable[[], dict[str, Any]]] = {
    "before_after": before_after.measure,
    "durability": lambda: asyncio.run(durability.measure()),
    "footprint": footprint.measure,
    "parked": lambda: asyncio.run(parked.measure()),
    "polyglot": polyglot.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies", description=__doc__)
    parser.add_argument("name", choices=STUDIES)
    print(json.dumps(STUDIES[parser.parse_args().name](), indent=2))


if __name__ == "__main__":
    main()
