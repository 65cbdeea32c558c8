"""What the figures were found on, as far as it matters to them; no names, no paths."""

import datetime
import os
import platform
from pathlib import Path
from typing import Any

import psutil

from benchmarks.contestants.environments import describe_packages
from benchmarks.measuring.processes import LOAD_CORE, SERVER_CORE, UVICORN, can_pin


def describe(groups: set[str], rounds: int, seconds: float, *, quick: bool) -> dict[str, Any]:
    pinned = f"server on core {SERVER_CORE}, load generator on core {LOAD_CORE}"
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _find_processor(),
        "cores": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9),
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "packages": describe_packages(groups),
        "uvicorn": " ".join(UVICORN),
        "pinned": pinned if can_pin() else "not pinned: this system does not offer it",
        "load_average": round(os.getloadavg()[2], 1),
        "rounds": rounds,
        "quick": quick,
        "minutes": round(seconds / 60, 1),
    }


def _find_processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
