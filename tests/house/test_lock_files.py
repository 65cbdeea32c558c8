"""What lock files record: what is installed, and not from where."""

import json
from typing import Any

import pytest

from tests.house.source import list_project_files, show


def list_lock_files() -> list[Any]:
    return [path for path in list_project_files() if path.name == "package-lock.json"]


@pytest.mark.parametrize("path", list_lock_files(), ids=show)
def test_lock_files_name_no_download_hosts(path):
    packages = json.loads(path.read_text(encoding="utf-8"))["packages"]
    assert [name for name, facts in packages.items() if "resolved" in facts] == []
    assert [name for name, facts in packages.items() if name and "integrity" not in facts] == []
