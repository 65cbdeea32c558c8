"""What is known of the cells: `record.toml` names those that do not pass, and why."""

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.interop.columns import DIRECTIONS, PEERS, Column
from tests.interop.running import Cell
from tests.peer.rows import ROWS

FILE = Path(__file__).with_name("record.toml")
FAULTS = ("theirs", "ours", "the specification's")
SELECTORS = ("peers", "directions", "bindings", "rows")


@dataclass(frozen=True)
class Entry:
    """Cells that share an outcome: those that every selector names, where an absent one names all."""

    outcome: str
    """`pending`, `failing` or `not_offered`."""
    selectors: dict[str, Collection[str]]
    why: str
    fault: str = ""
    """Whose fault a failing cell is: one of FAULTS."""
    seen: str = ""
    """What the evidence of a failing cell has in it."""

    def covers(self, column: Column, row: str) -> bool:
        facts = (column.peer.name, column.direction, column.binding.value, row)
        return all(
            fact in self.selectors.get(selector, [fact])
            for selector, fact in zip(SELECTORS, facts, strict=True)
        )


@cache
def load_entries() -> tuple[Entry, ...]:
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))
    return tuple(read_entry(outcome, table) for outcome, tables in tables.items() for table in tables)


def read_entry(outcome: str, table: dict[str, Any]) -> Entry:
    """One table of the file; a word in it that nothing answers to is an error."""
    selectors = {selector: table.pop(selector) for selector in SELECTORS if selector in table}
    known = {
        "peers": {peer.name for peer in PEERS},
        "directions": set(DIRECTIONS),
        "bindings": {"JSONRPC", "HTTP+JSON", "GRPC"},
        "rows": set(ROWS),
    }
    strange = [word for selector, words in selectors.items() for word in words if word not in known[selector]]
    if strange or outcome not in {"pending", "failing", "not_offered"}:
        raise ValueError(f"record.toml: nothing is called {strange or outcome!r}")
    return Entry(outcome, selectors, **table)


def find_entry(column: Column, row: str) -> Entry | None:
    """What the record says of a cell; None means that it passes."""
    return next((entry for entry in load_entries() if entry.covers(column, row)), None)


def is_pending(column: Column, row: str) -> bool:
    """Whether the cell waits for something that Dragoman cannot do yet, so that nobody looks."""
    entry = find_entry(column, row)
    return entry is not None and entry.outcome == "pending"


def find_complaint(entry: Entry | None, cell: Cell) -> str:
    """How a cell differs from what is recorded of it; empty if it does not."""
    match cell.ok, entry.outcome if entry else "":
        case (True, "") | (None, "not_offered"):
            return ""
        case True, _:
            return "it passes now: take it out of the record"
        case None, _:
            return f"it is not offered: {cell.evidence}"
        case False, "failing" if entry and entry.seen in cell.evidence:
            return ""
    return f"it fails: {cell.evidence}"
