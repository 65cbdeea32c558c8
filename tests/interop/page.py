"""Writes `docs/interop.md` from the cells."""

from collections import Counter
from collections.abc import Iterator

from tests.interop.columns import COLUMNS, PEERS, ROOT, Column, Peer
from tests.interop.record import Entry, find_entry
from tests.interop.running import Cell, Cells
from tests.peer.rows import ROWS

PAGE = ROOT / "docs" / "interop.md"
INTRODUCTION = """\
# Who it talks to

Four official SDKs, as clients of a Dragoman agent and as agents that a Dragoman client calls, over every binding that they speak.
A run of the tests makes this page: each cell is a conversation that took place, and a cell that comes out other than here fails the build. From a checkout, `make interop` writes it anew.
The JavaScript SDKs need Node 20 or newer; without it their cells stay as they were.

| row | passes when |
|---|---|
"""
ROW_WORDS = {
    "send": "a message is answered with a finished task and its text",
    "immediate": "a send that does not wait comes back while the task works, and polling sees its end",
    "stream": "three pieces arrive in order, and the end after them",
    "multi-turn": "a task that asks twice is answered twice by its id alone, and keeps its ids",
    "subscribe": "a stream to a task that works already tells its artifact and its end",
    "cancel": "a task that works is canceled, and stays so",
    "list": "the tasks of one conversation are listed, those and no others",
    "push": "a webhook is registered for a task that works, and told of its end with the token, in the shape of its generation",
    "files": "all 256 byte values, the media type and a name with an umlaut come back as they went, and the agent saw 256 bytes",
    "unicode": "emoji, right-to-left text, line separators, combining and control characters come back as they went, also in a stream",
    "errors": "reading an unknown task, writing to it, subscribing to it, and canceling a finished one are told apart by A2A's own errors",
    "extended card": "the card for callers with a name is given, and has what the public one has not",
}
LEGEND = {
    "✓": "passes",
    "✗": "fails, with whose fault it is and the evidence below the table",
    "–": "not offered: the SDK, or its generation of the protocol, has no such operation",
    "…": "not yet: Dragoman does not speak it",
    "no Node here": "not run: the machine that made the page had no Node",
}
NAMES = {"JSONRPC": "JSON-RPC", "HTTP+JSON": "HTTP+JSON", "GRPC": "gRPC"}
MARKS = {True: "✓", None: "–", False: "✗"}


def recall(column: Column, row: str) -> Cell | None:
    """The cell as the record has it, for what this run did not look at; None for one that is pending."""
    entry = find_entry(column, row)
    outcomes = {"": True, "failing": False, "not_offered": None}
    outcome = entry.outcome if entry else ""
    return Cell(outcomes[outcome]) if outcome in outcomes else None


def render(cells: Cells, *, may_recall: bool) -> str:
    """The page. Cells that are not given are recalled from the record, or marked as not run."""
    seen = Sheet(cells, may_recall=may_recall)
    pieces = [INTRODUCTION, *(f"| {row} | {words} |\n" for row, words in ROW_WORDS.items())]
    pieces += ["\n", *describe_counts(seen), *(f"\n{render_peer(peer, seen)}" for peer in PEERS)]
    return "".join(pieces)


class Sheet:
    """What stands in each cell."""

    def __init__(self, cells: Cells, *, may_recall: bool) -> None:
        self._cells = cells
        self._may_recall = may_recall

    def mark(self, column: Column, row: str) -> str:
        recalled = recall(column, row)
        cell = self._cells.get((column, row)) or (recalled if self._may_recall else None)
        if cell is not None:
            return MARKS[cell.ok]
        return "no Node here" if recalled else "…"


def describe_counts(seen: Sheet) -> Iterator[str]:
    marks = Counter(seen.mark(column, row) for column in COLUMNS for row in ROWS)
    yield "| mark | means | cells |\n|---|---|---|\n"
    for mark, words in LEGEND.items():
        if mark in marks:
            yield f"| {mark} | {words} | {marks[mark]} |\n"


def render_peer(peer: Peer, seen: Sheet) -> str:
    columns = [column for column in COLUMNS if column.peer == peer]
    heads = [f"{column.direction}: {NAMES[column.binding.value]}" for column in columns]
    lines = [f"## {peer.name}\n", f"| | {' | '.join(heads)} |", f"|---|{'---|' * len(columns)}"]
    notes: list[Entry] = []
    for row in ROWS:
        marks = [mark_with_note(column, row, seen, notes) for column in columns]
        lines.append(f"| {row} | {' | '.join(marks)} |")
    lines += [f"\n{number}. {describe(entry)}" for number, entry in enumerate(notes, 1)]
    return "\n".join(lines) + "\n"


def mark_with_note(column: Column, row: str, seen: Sheet, notes: list[Entry]) -> str:
    """The mark of a cell, with the number of its note if there is something to say."""
    mark, entry = seen.mark(column, row), find_entry(column, row)
    if entry is None or mark in {"✓", "no Node here"}:
        return mark
    if entry not in notes:
        notes.append(entry)
    return f"{mark} {notes.index(entry) + 1}"


def describe(entry: Entry) -> str:
    if entry.outcome == "failing":
        return f"**The fault is {entry.fault}.** {entry.why}"
    return entry.why
