"""The counts that were recorded, by Python's minor version, and how far new ones may be from them."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path

RECORD = Path(__file__).with_name("counts.json")
TOLERANCE = 0.03
"""Of the counts of the same minor version of Python."""
FOREIGN_TOLERANCE = 0.2
"""Of the counts of another: what a comprehension or a specialized instruction counts for differs between versions."""

Figures = Mapping[str, Mapping[str, float]]


def load(text: str, version: str) -> tuple[Figures, float]:
    """The record for this version, else for the nearest, with the tolerance that belongs to it."""
    records: dict[str, Figures] = json.loads(text)
    if version in records:
        return records[version], TOLERANCE
    wanted = parse_version(version)
    nearest = min(records, key=lambda one: abs(parse_version(one) - wanted))
    return records[nearest], FOREIGN_TOLERANCE


def parse_version(version: str) -> int:
    return int(version.split(".")[1])


def name_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


def compare(found: Figures, recorded: Figures, tolerance: float) -> list[str]:
    """What has grown beyond the tolerance, or shrunk so far that the record would hide a later growth; a sentence for each."""
    problems: list[str] = []
    for call, counts in recorded.items():
        for kind, before in counts.items():
            now = found.get(call, {}).get(kind, 0.0)
            if abs(now - before) > max(before * tolerance, 0.5):
                problems.append(f"{call}: {now:g} {kind}, recorded are {before:g}")
    return problems
