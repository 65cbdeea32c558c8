"""The tables for a terminal, and in Markdown."""

from collections.abc import Mapping
from typing import Any

from benchmarks.report.rows import Table, list_tables


def show(results: Mapping[str, Any]) -> str:
    """Everything that was found, for a terminal."""
    return "\n\n".join(_align(table) for table in list_tables(results))


def write_markdown(results: Mapping[str, Any]) -> str:
    return "\n\n".join(_mark(table) for table in list_tables(results))


def _align(table: Table) -> str:
    lines = [table.columns, *table.rows] if any(table.columns) else [*table.rows]
    widths = [max(len(line[at]) for line in lines) for at in range(len(table.columns))]
    text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    return "\n".join([table.title, *(f"  {line.rstrip()}" for line in text)])


def _mark(table: Table) -> str:
    lines = [table.columns, ("---",) * len(table.columns), *table.rows]
    return "\n".join([f"### {table.title}", "", *(f"| {' | '.join(line)} |" for line in lines)])
