"""Every Python block of the README and of the documentation compiles, and runs unless it says why it cannot.

A block is skipped with an info string such as ```` ```python no-run: needs a running server ````; without a
reason after `no-run:` the test fails. The blocks of one page share a namespace, and `await` works at the top.
"""

import ast
import asyncio
import inspect
import re
import sys
import textwrap
from pathlib import Path
from types import CodeType, ModuleType
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})python\b(?P<info>[^\n]*)\n(?P<code>.*?)^ *(?P=fence)",
    re.MULTILINE | re.DOTALL,
)
NO_RUN = re.compile(r"no-run\b(?::\s*(?P<reason>.+))?")


class Block(NamedTuple):
    code: CodeType
    info: str
    place: str


def read_blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [compile_block(page, text, found) for found in BLOCK.finditer(text)]


def compile_block(page: Path, text: str, found: re.Match[str]) -> Block:
    """Compile a block at its own line numbers, so that a traceback points into the page."""
    line = text.count("\n", 0, found.start("code"))
    source = "\n" * line + textwrap.dedent(found["code"])
    code = compile(source, str(page), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    return Block(code, found["info"].strip(), f"{page.name}:{line + 1}")


async def run_blocks(blocks: list[Block], module: ModuleType) -> None:
    for block in blocks:
        result = eval(block.code, module.__dict__)
        if inspect.iscoroutine(result):
            async with asyncio.timeout(30):
                await result


def find_reason(block: Block) -> str | None:
    found = NO_RUN.search(block.info)
    if found and not found["reason"]:
        pytest.fail(f"{block.place}: write why the block does not run: `no-run: reason`", pytrace=False)
    return found["reason"] if found else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_python_blocks_of_a_page_run(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    blocks = [block for block in read_blocks(page) if find_reason(block) is None]
    module = ModuleType(f"page_{page.stem}")
    # Types defined on a page are looked up through their module, by dataclasses and by pydantic.
    monkeypatch.setitem(sys.modules, module.__name__, module)
    asyncio.run(run_blocks(blocks, module))
