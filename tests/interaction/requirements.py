"""The requirement manifest: every row of SPEC §6 with its tests, or with the reason why it has none.

A test names the rows that it covers: `@requirement("SND-08", "SND-09")`. `python -m tests.interaction.requirements` prints
the count and the list of what is deferred, with `--json` for machines.
"""

import ast
import json
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import pytest

from tests.interaction.checklist import DEFERRED, INAPPLICABLE, ROWS

TESTS = Path(__file__).resolve().parents[1]

Status = Literal["covered", "deferred", "not applicable"]

requirement = pytest.mark.requirement


@dataclass(frozen=True, slots=True)
class Requirement:
    """One row. `reason` says why no test covers it."""

    id: str
    level: str
    who: str
    words: str
    status: Status
    reason: str = ""


def _load() -> Iterator[Requirement]:
    without = {
        row_id: (status, reason)
        for status, reasons in (("deferred", DEFERRED), ("not applicable", INAPPLICABLE))
        for reason, ids in reasons.items()
        for row_id in ids.split()
    }
    for line in ROWS.splitlines():
        if line and not line.startswith("#"):
            row_id, level, who, words = line.split(" | ")
            status, reason = without.pop(row_id, ("covered", ""))
            yield Requirement(row_id, level, who, words, status, reason)  # type: ignore[arg-type]
    assert not without, f"reasons for rows that do not exist: {sorted(without)}"


REQUIREMENTS: Mapping[str, Requirement] = {row.id: row for row in _load()}


def find_tests() -> dict[str, list[str]]:
    """The tests that name each row, read off the source of every test file, so that a selection hides none."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted(TESTS.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for name, row_id in _iterate_marks(tree):
            found[row_id].append(f"{path.relative_to(TESTS.parent).as_posix()}::{name}")
    return dict(found)


def _iterate_marks(tree: ast.Module) -> Iterator[tuple[str, str]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            for decorator in node.decorator_list:
                match decorator:
                    case ast.Call(func=ast.Name(id="requirement"), args=args):
                        yield from ((node.name, ast.literal_eval(argument)) for argument in args)
                    case _:
                        pass


def count() -> dict[Status, int]:
    """How many rows there are of each status."""
    statuses = [row.status for row in REQUIREMENTS.values()]
    return {status: statuses.count(status) for status in get_args(Status)}


def describe() -> Iterator[str]:
    """The manifest in words."""
    total = ", ".join(f"{number} {status}" for status, number in count().items())
    yield f"{len(REQUIREMENTS)} requirements: {total}"
    for title, reasons in (("deferred", DEFERRED), ("not applicable", INAPPLICABLE)):
        yield f"\n{title}:"
        for reason, ids in reasons.items():
            yield f"  {reason}"
            yield from (f"    {_show(REQUIREMENTS[row_id])}" for row_id in ids.split())


def _show(row: Requirement) -> str:
    return f"{row.id}  {row.level} {row.who}: {row.words}"


def dump() -> str:
    """The manifest as JSON, with the tests of each row."""
    tests = find_tests()
    rows = [
        {
            "id": row.id,
            "level": row.level,
            "who": row.who,
            "requirement": row.words,
            "status": row.status,
            **({"reason": row.reason} if row.reason else {"tests": tests.get(row.id, [])}),
        }
        for row in REQUIREMENTS.values()
    ]
    return json.dumps({"count": count(), "requirements": rows}, ensure_ascii=False, indent=2)


if __name__ == "__main__":
    print(dump() if "--json" in sys.argv[1:] else "\n".join(describe()))  # noqa: T201
