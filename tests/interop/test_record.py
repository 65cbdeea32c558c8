"""The record of the matrix is complete, and notices what changes in either direction."""

import json
import tomllib

import pytest

from tests.interop.columns import COLUMNS, PEERS, ROOT
from tests.interop.page import ROW_WORDS
from tests.interop.record import FAULTS, Entry, find_complaint, load_entries, read_entry
from tests.interop.running import Cell
from tests.peer.rows import ROWS

FAILING = Entry("failing", {}, why="w", fault="theirs", seen="it broke")
NOT_OFFERED = Entry("not_offered", {}, why="w")


@pytest.mark.parametrize(
    "entry, cell",
    [
        (None, Cell(ok=True)),
        (FAILING, Cell(ok=False, evidence="at 3 it broke again")),
        (NOT_OFFERED, Cell(ok=None)),
    ],
)
def test_what_is_as_recorded_is_no_complaint(entry, cell):
    assert find_complaint(entry, cell) == ""


@pytest.mark.parametrize(
    "entry, cell",
    [
        (None, Cell(ok=False, evidence="it broke")),
        (None, Cell(ok=None)),
        (FAILING, Cell(ok=True)),
        (FAILING, Cell(ok=False, evidence="another thing broke")),
        (FAILING, Cell(ok=None)),
        (NOT_OFFERED, Cell(ok=True)),
        (NOT_OFFERED, Cell(ok=False)),
    ],
)
def test_whatever_comes_out_otherwise_is_one(entry, cell):
    assert find_complaint(entry, cell)


def test_every_entry_says_something_about_a_cell():
    """What waits below a pending entry counts: it holds once that is taken out."""
    cells = [(column, row) for column in COLUMNS for row in ROWS]
    pending = [entry for entry in load_entries() if entry.outcome == "pending"]
    known = [entry for entry in load_entries() if entry.outcome != "pending"]
    used = [next((entry for entry in known if entry.covers(*cell)), None) for cell in cells]
    assert [entry for entry in known if entry not in used] == []
    assert [entry for entry in pending if not any(entry.covers(*cell) for cell in cells)] == []


def test_failing_cells_have_a_fault_and_evidence():
    failing = [entry for entry in load_entries() if entry.outcome == "failing"]
    assert [entry for entry in failing if entry.fault not in FAULTS or not entry.seen or not entry.why] == []


@pytest.mark.parametrize(
    "outcome, table", [("broken", {"why": "w"}), ("failing", {"rows": ["juggle"], "why": "w"})]
)
def test_an_entry_about_nothing_is_refused(outcome, table):
    with pytest.raises(ValueError, match="nothing is called"):
        read_entry(outcome, table)


def test_the_page_explains_every_row():
    assert list(ROW_WORDS) == list(ROWS)


def test_the_rows_of_node_are_those_of_python():
    text = (ROOT / "tests/peer/rows.mjs").read_text(encoding="utf-8")
    named = [
        line.split("(")[0].removeprefix("  async ").strip("'")
        for line in text.splitlines()
        if "(caller) {" in line
    ]
    assert [name for name in named if name in ROWS] == list(ROWS)


def test_peers_are_called_by_the_versions_that_are_installed():
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    names = {f"a2a-sdk {groups[group][0].partition('==')[2]}" for group in ("peer", "peer03")}
    for project in ("js10", "js03"):
        package = json.loads((ROOT / "tests/peer" / project / "package.json").read_text(encoding="utf-8"))
        names.add(f"@a2a-js/sdk {package['dependencies']['@a2a-js/sdk']}")
    assert names == {peer.name for peer in PEERS}
