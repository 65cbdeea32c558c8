"""Uvicorn, run by us: one process, several, or one that starts anew at every change."""

import importlib.util
import os
import platform
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors.basereload import BaseReload

from dragoman.cli.draining import SIGNALS, Draining
from dragoman.cli.hosting import FACTORY, Hosting
from dragoman.cli.loading import App, read_target

_CUT_OFF_SECONDS = 5
"""How long an agent may take to end its streams, after requests had their time to finish."""

_PRUNED = {"__pycache__", "node_modules", "site-packages"}


def serve_here(app: App, hosting: Hosting, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in this process until a signal."""
    for number in SIGNALS:
        signal.signal(number, _leave)
    served = Draining(app, hosting.drain_seconds, on_ready)
    uvicorn.Server(uvicorn.Config(served, **_settings(hosting))).run([listener])


def serve_in_workers(hosting: Hosting, address: tuple[str, int], workers: int) -> None:
    """Serve in several processes, which uvicorn starts and replaces."""
    hosting.publish()
    host, port = address
    uvicorn.run(FACTORY, factory=True, host=host, port=port, workers=workers, **_settings(hosting))


def serve_and_reload(hosting: Hosting, listener: socket.socket) -> None:
    """Serve in a process that is replaced whenever a Python file changes in the folder of the target."""
    hosting.publish()
    config = uvicorn.Config(FACTORY, factory=True, **_settings(hosting))
    Reloader(config, uvicorn.Server(config).run, [listener], folder=read_target(hosting.target).folder).run()


class Reloader(BaseReload):
    """Watches a folder. Uvicorn's own would look at every file of a virtual environment too, four times a second."""

    def __init__(self, *args: Any, folder: Path) -> None:
        super().__init__(*args)
        self.reloader_name = "dragoman"
        self._folder = folder
        self._times = dict(list_times(folder))

    def should_restart(self) -> list[Path] | None:
        self.pause()
        times = dict(list_times(self._folder))
        changed = [
            path for path in times.keys() | self._times.keys() if times.get(path) != self._times.get(path)
        ]
        self._times = times
        return sorted(changed) or None


def is_fast() -> bool:
    """Whether the faster loop and parser are there, or cannot be on this machine."""
    if sys.platform == "win32" or platform.python_implementation() == "PyPy":
        return True
    return all(importlib.util.find_spec(name) for name in ("uvloop", "httptools"))


def _settings(hosting: Hosting) -> dict[str, Any]:
    return {
        "lifespan": "on",
        "ws": "none",
        "server_header": False,
        "log_config": None,
        "access_log": hosting.log_level == "debug",
        "timeout_graceful_shutdown": hosting.drain_seconds + _CUT_OFF_SECONDS,
    }


def list_times(folder: Path) -> Iterator[tuple[Path, int]]:
    """When each Python file was last changed, hidden folders and virtual environments left out."""
    for place, folders, files in os.walk(folder):
        if "pyvenv.cfg" in files:
            folders.clear()
            continue
        folders[:] = [name for name in folders if name not in _PRUNED and not name.startswith(".")]
        for name in files:
            if name.endswith(".py"):
                path = Path(place, name)
                try:
                    yield path, path.stat().st_mtime_ns
                except FileNotFoundError:
                    continue


def _leave(number: int, frame: FrameType | None) -> None:
    """Uvicorn raises its signal again when it has stopped in order: that is a success."""
    del number, frame
    sys.exit(0)
