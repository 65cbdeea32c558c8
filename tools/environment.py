"""Bring a virtual environment up to date: `python tools/environment.py .venv dev --editable`.

Standard library only: this runs before anything is installed.
"""

import argparse
import fcntl
import hashlib
import json
import subprocess
import sys
import time
import tomllib
import venv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
TAIL_LINES = 40


def compute_key(group: str, editable: str | None) -> str:
    """Digest what an environment is made from: the interpreter, the place, the dependencies, the request."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    names = ("build-system", "project") if editable else ()
    tables = [*(settings[name] for name in names), list_requirements(settings["dependency-groups"], group)]
    facts = [sys.version, sys.base_prefix, str(ROOT), tables, group, editable]
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def list_requirements(groups: dict[str, Any], group: str) -> list[str]:
    """What a group asks for, the groups that it includes among it."""
    found: list[str] = []
    for entry in groups[group]:
        inner = [entry] if isinstance(entry, str) else list_requirements(groups, entry["include-group"])
        found.extend(inner)
    return found


def run_step(log: Path, words: str, command: Sequence[str]) -> None:
    """Run one command with its output in the log; on failure show the end of the log and leave."""
    print(f"  {words} ... ", end="", flush=True)
    start = time.monotonic()
    with log.open("a", encoding="utf-8") as sink:
        sink.write(f"$ {' '.join(command)}\n")
        sink.flush()
        status = subprocess.run(command, cwd=ROOT, stdout=sink, stderr=sink, check=False).returncode
    print("done" if status == 0 else "failed", f"({time.monotonic() - start:.0f} s)")
    if status != 0:
        print("\n".join(log.read_text(encoding="utf-8").splitlines()[-TAIL_LINES:]), file=sys.stderr)
        sys.exit(f"set-up failed while {words}; the whole log is {log}")


def set_up(directory: Path, group: str, editable: str | None) -> None:
    """Build the environment from nothing, so that no package of an older set-up survives in it."""
    name = directory.name
    print(f"  {name}: created with Python {sys.version.split()[0]}")
    try:
        venv.create(directory, clear=True, with_pip=True)
    except subprocess.CalledProcessError:
        sys.exit(
            "this Python cannot make environments with pip; on Debian and Ubuntu: apt install python3-venv"
        )
    log, python = directory / "setup.log", str(directory / "bin" / "python")
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install"]
    run_step(log, f"{name}: upgrading pip", [*pip, "--upgrade", "pip"])
    project = ["--editable", editable] if editable else []
    what = f"dragoman and the group {group!r}" if editable else f"the group {group!r}"
    run_step(log, f"{name}: installing {what}", [*pip, *project, "--group", group])


def main() -> None:
    """Do nothing in a few milliseconds when the environment fits, else build it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("group", help="dependency group of pyproject.toml")
    parser.add_argument(
        "--editable", nargs="?", const=".", metavar="PATH[EXTRAS]", help="install the project"
    )
    options = parser.parse_args()
    directory, key = ROOT / options.directory, compute_key(options.group, options.editable)
    directory.mkdir(exist_ok=True)
    stamp = directory / "ready"
    lock = directory.with_name(f"{directory.name}.lock")
    with lock.open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
            return
        set_up(directory, options.group, options.editable)
        stamp.write_text(key, encoding="utf-8")


if __name__ == "__main__":
    main()
