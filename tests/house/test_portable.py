"""The repository works anywhere: nothing in it names one machine."""

import re
from pathlib import Path

import pytest

from tests.house.source import list_project_files, show

# In pieces, so that this file does not contain what it looks for.
PLACES = [*(f"/{root}/" for root in ("work", "farm", "root")), "[.]library", "pypi-" + "more"]
FOREIGN = re.compile("|".join(PLACES))


def find_foreign_lines(path: Path) -> list[str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        return []
    return [f"{show(path)}:{number}" for number, line in enumerate(lines, 1) if FOREIGN.search(line)]


def test_no_file_names_a_place_on_one_machine():
    assert [line for path in list_project_files() for line in find_foreign_lines(path)] == []


@pytest.mark.parametrize("piece", ["/work", "/farm"])
def test_a_line_that_names_one_machine_is_found(piece):
    assert FOREIGN.search(f"open('{piece}" + "/notes.txt')")
