"""The environments of contestants, built once by `tools/environment.py` and again when their dependencies change."""

import subprocess
import sys
from pathlib import Path

from benchmarks.contestants import OURS

ROOT = Path(__file__).resolve().parents[2]


def find_python(group: str) -> Path:
    """The interpreter of a group's environment, whether it has been built or not."""
    return ROOT / f".venv-{group}" / "bin" / "python"


def prepare(groups: set[str]) -> None:
    """Build what is missing; what fits already costs a tenth of a second."""
    for group in sorted(groups - {OURS}):
        command = [sys.executable, str(ROOT / "tools" / "environment.py"), f".venv-{group}", group]
        subprocess.run(command, check=True, cwd=ROOT)


def describe_packages(groups: set[str]) -> dict[str, str]:
    """The versions of what decides a figure, over all environments that take part."""
    names = [
        "dragoman",
        "uvicorn",
        "uvloop",
        "httptools",
        "msgspec",
        "starlette",
        "a2a-sdk",
        "a2a-lite",
        "a2akit",
    ]
    script = (
        "import importlib.metadata as m\n"
        f"for name in {[*names, 'fasta2a']!r}:\n"
        "    try: print(name, m.version(name))\n"
        "    except m.PackageNotFoundError: pass"
    )
    found: dict[str, set[str]] = {}
    for group in sorted(groups):
        python = sys.executable if group == OURS else str(find_python(group))
        lines = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True).stdout
        for line in lines.splitlines():
            name, version = line.split()
            found.setdefault(name, set()).add(version)
    return {name: " and ".join(sorted(versions)) for name, versions in sorted(found.items())}
