"""Relative links in the README, the guide for contributors and the documentation lead somewhere."""

import re
from pathlib import Path

from tests.house.source import ROOT, list_project_files, show

LINK = re.compile(r"\]\((?P<target>[^)\s]+)[^)]*\)|^\[[^\]]+\]:\s+(?P<reference>\S+)", re.MULTILINE)
CODE = re.compile(r"^ *(?P<fence>`{3,}|~{3,}).*?^ *(?P=fence)|`[^`\n]+`", re.MULTILINE | re.DOTALL)
ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#")


def list_relative_links(page: Path) -> list[str]:
    prose = CODE.sub("", page.read_text(encoding="utf-8"))
    targets = [found["target"] or found["reference"] for found in LINK.finditer(prose)]
    return [target for target in targets if not ELSEWHERE.match(target)]


def list_broken(page: Path) -> list[str]:
    links = list_relative_links(page)
    return [f"{show(page)}: {link}" for link in links if not (page.parent / link.partition("#")[0]).exists()]


def test_relative_links_lead_to_a_file():
    pages = [path for path in list_project_files() if path.suffix == ".md"]
    assert [link for page in pages for link in list_broken(page)] == []


def test_links_inside_the_project_stay_inside_it():
    pages = [path for path in list_project_files() if path.suffix == ".md"]
    outside = [
        f"{show(page)}: {link}"
        for page in pages
        for link in list_relative_links(page)
        if not (page.parent / link).resolve().is_relative_to(ROOT)
    ]
    assert outside == []
