"""Every client and every server of the peers against ours, over every binding: each cell comes out as it is recorded.

`make interop` runs this and writes docs/interop.md. DRAGOMAN_INTEROP_PENDING=1 runs the pending columns as well.
"""

import asyncio
import os

import pytest

from tests.interop.columns import COLUMNS
from tests.interop.page import PAGE, render
from tests.interop.record import find_complaint, find_entry, is_pending
from tests.interop.running import run_columns
from tests.peer.rows import ROWS

IS_WRITING = "DRAGOMAN_WRITE_INTEROP" in os.environ
WITH_PENDING = "DRAGOMAN_INTEROP_PENDING" in os.environ

pytestmark = pytest.mark.slow


def is_wanted(column):
    return not column.peer.missing and (WITH_PENDING or any(not is_pending(column, row) for row in ROWS))


@pytest.fixture(scope="session")
def cells(request):
    """The cells of the columns that the selected tests ask for: one run serves all of them."""
    chosen = {
        item.callspec.params.get("column") for item in request.session.items if hasattr(item, "callspec")
    }
    return asyncio.run(run_columns([column for column in COLUMNS if column in chosen and is_wanted(column)]))


@pytest.mark.parametrize("row", ROWS)
@pytest.mark.parametrize("column", COLUMNS, ids=str)
def test_a_cell_is_as_recorded(column, row, request):
    if column.peer.missing:
        pytest.skip(column.peer.missing)
    entry = find_entry(column, row)
    if entry and entry.outcome == "pending" and not WITH_PENDING:
        pytest.skip(entry.why)
    complaint = find_complaint(entry, request.getfixturevalue("cells")[column, row])
    assert not complaint, f"{row} with {column}: {complaint}"


def test_the_page_shows_what_was_seen(cells):
    """Without Node, its cells are taken from the record; only a page that is written says that there was none."""
    page = render(
        {key: cell for key, cell in cells.items() if not is_pending(*key)}, may_recall=not IS_WRITING
    )
    if IS_WRITING:
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, (
        "docs/interop.md is out of date: `make interop` writes it"
    )
