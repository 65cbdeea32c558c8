"""Install the packages of Node projects as their lock files say: `python tools/node_packages.py tests/peer/js10`.

Without Node nothing is installed, and the tests that need it are skipped. Standard library only.
"""

import argparse
import fcntl
import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NODE_IS_MISSING = (
    "no Node here, so the JavaScript peers are left out; to have them, install Node 20 or newer, with npm"
)
# No scripts of strangers run at installation.
COMMAND = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def compute_key(project: Path) -> str:
    """Digest what is installed: the lock file, and the version of Node."""
    version = subprocess.run(["node", "--version"], capture_output=True, check=True).stdout  # noqa: S607 - from the path
    return hashlib.sha256(version + (project / "package-lock.json").read_bytes()).hexdigest()


def install(project: Path) -> None:
    """Do nothing when what is there fits, else install anew."""
    stamp, key = project / "node_modules" / ".ready", compute_key(project)
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == key:
        return
    print(f"  {project.relative_to(ROOT)}: installing packages ... ", end="", flush=True)
    done = subprocess.run(COMMAND, cwd=project, capture_output=True, text=True, check=False)
    print("done" if done.returncode == 0 else "failed")
    if done.returncode != 0:
        sys.exit(f"{done.stdout}{done.stderr}")
    stamp.write_text(key, encoding="utf-8")


def main() -> None:
    """Install one project after the other, each by one process at a time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", nargs="+", type=Path)
    projects = parser.parse_args().projects
    if not (shutil.which("node") and shutil.which("npm")):
        print(f"  {NODE_IS_MISSING}")
        return
    for project in projects:
        with (ROOT / project / "package.json").open() as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            install(ROOT / project)


if __name__ == "__main__":
    main()
