"""What an install weighs, an import costs and an idle server holds."""

import importlib.metadata
import json
import resource
import statistics
import subprocess
import tempfile
import time
import venv
from pathlib import Path
from typing import Any

from benchmarks.studies.serving import read_rss_kib, serve

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 15
HELLO = '''from dragoman import Agent

agent = Agent("Greeter", "Says hello")

@agent.skill
def hello(name: str = "world") -> str:
    """Greet someone by name."""
    return f"Hello, {name}!"
'''
IMPORTS = {
    "nothing": "pass",
    "Client": "from dragoman import Client",
    "Agent": "from dragoman import Agent",
}
_LIST_PACKAGES = """
import importlib.metadata, json
sizes = {}
for dist in importlib.metadata.distributions():
    if dist.name not in ("pip", "setuptools"):
        files = [f.locate() for f in dist.files or () if "__pycache__" not in str(f)]
        sizes[dist.name] = sum(p.stat().st_size for p in files if p.is_file())
print(json.dumps(sizes))
"""


def measure() -> dict[str, Any]:
    figures: dict[str, Any] = {"version": importlib.metadata.version("dragoman")}
    with tempfile.TemporaryDirectory() as folder:
        python = install_core(Path(folder))
        figures |= weigh(python)
        figures |= time_imports(python)
        figures |= hold_idle(python, Path(folder))
    figures["lines of hello world"] = sum(bool(line.strip()) for line in HELLO.splitlines())
    return figures


def install_core(folder: Path) -> str:
    """The package as a user installs it, without extras, in an environment of its own."""
    environment = folder / "environment"
    venv.create(environment, with_pip=True)
    python = str(environment / "bin" / "python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", str(ROOT)], check=True)
    return python


def weigh(python: str) -> dict[str, Any]:
    found = subprocess.run([python, "-c", _LIST_PACKAGES], capture_output=True, text=True, check=True)
    sizes = json.loads(found.stdout)
    return {
        "packages, dragoman included": len(sizes),
        "MB installed, without bytecode": sum(sizes.values()) / 1e6,
        "MB of dragoman itself": sizes["dragoman"] / 1e6,
    }


def time_imports(python: str) -> dict[str, Any]:
    """Median CPU of a fresh interpreter that imports and ends, and its memory."""
    cpu: dict[str, list[float]] = {name: [] for name in IMPORTS}
    rss: dict[str, list[float]] = {name: [] for name in IMPORTS}
    for _ in range(ROUNDS):
        for name, statement in IMPORTS.items():
            milliseconds, kib = run_once(python, statement)
            cpu[name].append(milliseconds)
            rss[name].append(kib / 1024)
    figures: dict[str, Any] = {}
    for name in IMPORTS:
        figures[f"import {name}: CPU ms"] = statistics.median(cpu[name])
        figures[f"import {name}: RSS MB"] = statistics.median(rss[name])
    for name in ("Client", "Agent"):
        figures[f"import {name}: CPU ms above a bare interpreter"] = statistics.median(
            cpu[name]
        ) - statistics.median(cpu["nothing"])
    return figures


def run_once(python: str, statement: str) -> tuple[float, int]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([python, "-I", "-c", statement], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    seconds = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return seconds * 1000, hold_rss(python, statement)


def hold_rss(python: str, statement: str) -> int:
    """KiB of an interpreter that has imported and now waits; its peak would count what it was forked from."""
    script = f"{statement}\nprint(flush=True)\ninput()"
    with subprocess.Popen(
        [python, "-I", "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        kib = read_rss_kib(process.pid)
        process.communicate(b"\n")
    return kib


def hold_idle(python: str, folder: Path) -> dict[str, Any]:
    (folder / "greeter.py").write_text(HELLO, encoding="utf-8")
    figures: dict[str, Any] = {}
    for name, store in (("memory", "memory:"), ("SQLite", f"sqlite:///{folder}/tasks.db")):
        with serve("greeter:agent", folder=folder, python=python, store=store) as (pid, _):
            time.sleep(1)
            figures[f"idle server on {name}: RSS MB"] = read_rss_kib(pid) / 1024
    return figures
