"""What the rules of the house look at: the source files, as text and as trees."""

import ast
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "dragoman"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def list_source_files() -> list[Path]:
    """List the Python files of the package."""
    return sorted(SOURCE.rglob("*.py"))


def list_project_files() -> list[Path]:
    """List what git tracks or would track."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return [path for name in names if name and (path := ROOT / name).is_file()]


def parse(path: Path) -> ast.Module:
    """Parse one file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def show(path: Path) -> str:
    """Name a file as a reader of the repository would."""
    return path.relative_to(ROOT).as_posix()


def walk_functions(node: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function, bool]]:
    """Yield every function with its qualified name and whether it is a method."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function):
            yield f"{prefix}{child.name}", child, isinstance(node, ast.ClassDef)
        inner = f"{prefix}{child.name}." if isinstance(child, ast.ClassDef | Function) else prefix
        yield from walk_functions(child, inner)


def load_settings() -> dict[str, Any]:
    """Load pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
