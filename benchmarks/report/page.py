"""The page in docs/: what is between its two markers is written by every whole run."""

from collections.abc import Mapping
from typing import Any

from benchmarks.contestants import ALL
from benchmarks.contestants.environments import ROOT
from benchmarks.report.table import write_markdown

PAGE = ROOT / "docs" / "performance.md"
BEGIN = "<!-- written by make bench: begin -->"
END = "<!-- written by make bench: end -->"


def write_page(results: Mapping[str, Any]) -> None:
    PAGE.write_text(replace_between(PAGE.read_text(encoding="utf-8"), describe(results)), encoding="utf-8")


def replace_between(page: str, text: str) -> str:
    """The page with that text between its markers; ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page needs the lines {BEGIN!r} and {END!r}")
    return f"{before}{begin}\n\n{text}\n\n{end}{after}"


def describe(results: Mapping[str, Any]) -> str:
    facts = results["measured"]
    versions = ", ".join(f"{name} {version}" for name, version in facts["packages"].items())
    measured = (
        f"Measured on {facts['date']} in {facts['minutes']} minutes, {facts['rounds']} rounds: {facts['processor']}, "
        f"{facts['cores']} cores, {facts['memory_gb']} GB, {facts['system']}, Python {facts['python']}; "
        f"load average of the 15 minutes before the end {facts['load_average']}; {facts['pinned']}. {versions}. "
        f"Every server: one uvicorn process, `{facts['uvicorn']}`."
    )
    people = "\n".join(f"| {one.name} | {one.words} |" for one in ALL)
    if facts.get("note"):
        measured += f"\n\n**{facts['note']}**"
    return f"{measured}\n\n| contestant | what it is |\n|---|---|\n{people}\n\n{write_markdown(results)}"
