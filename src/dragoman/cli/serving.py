"""Uvicorn, run by us: one process, several, or one that starts anew at every change."""

import importlib.util
import math
import os
import platform
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.supervisors.basereload import BaseReload
from uvicorn.supervisors.multiprocess import Multiprocess

from dragoman.cli.draining import SIGNALS, Draining
from dragoman.cli.hosting import FACTORY, Hosting, get_patience
from dragoman.cli.loading import App, read_target

_CUT_OFF_SECONDS = 5.0
"""How long requests may take to end after their agent has stopped."""

_RELOAD_SECONDS = 5.0

_LOOK_SECONDS = 0.1

_PRUNED = {"__pycache__", "node_modules", "site-packages"}


def serve_here(app: App, hosting: Hosting, listener: socket.socket, on_ready: Callable[[], None]) -> None:
    """Serve in this process until a signal."""
    for number in SIGNALS:
        signal.signal(number, _leave)
    served = Draining(app, on_ready)
    uvicorn.Server(uvicorn.Config(served, **_settings(hosting, get_patience(app)))).run([listener])


def serve_in_workers(app: App, hosting: Hosting, listener: socket.socket, workers: int) -> None:
    """Serve in several processes, which are replaced when they die."""
    hosting.publish()
    settings = _settings(hosting, get_patience(app))
    Workers(uvicorn.Config(FACTORY, factory=True, workers=workers, **settings), [listener]).run()


def serve_and_reload(hosting: Hosting, listener: socket.socket) -> None:
    """Serve in a process that is replaced whenever a Python file changes in the folder of the target."""
    hosting.publish()
    config = uvicorn.Config(FACTORY, factory=True, **_settings(hosting, _RELOAD_SECONDS))
    Reloader(
        config, uvicorn.Server(config).run, [listener], folder=read_target(hosting.targets[0]).folder
    ).run()


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


class Workers(Multiprocess):
    """Several processes. Uvicorn's own would keep listening while it waits for them to end, and not pass on a second signal."""

    def join_all(self) -> None:
        for listener in self.sockets:
            listener.close()  # else callers would wait for an answer of nobody, until the last worker has ended
        while any(worker.process.is_alive() for worker in self.processes):
            numbers, self.signal_queue[:] = list(self.signal_queue), ()
            for number in numbers:
                self._pass_on(number)
            time.sleep(_LOOK_SECONDS)
        super().join_all()

    def _pass_on(self, number: int) -> None:
        for worker in self.processes:
            if worker.pid is not None and worker.process.is_alive():
                # Workers were told by SIGTERM, and count signals by kind.
                os.kill(worker.pid, signal.SIGTERM if number in SIGNALS else number)


def is_fast() -> bool:
    """Whether the faster loop and parser are there, or cannot be on this machine."""
    if sys.platform == "win32" or platform.python_implementation() == "PyPy":
        return True
    return all(importlib.util.find_spec(name) for name in ("uvloop", "httptools"))


def _settings(hosting: Hosting, patience: float) -> dict[str, Any]:
    return {
        "lifespan": "on",
        "ws": "none",
        "server_header": False,
        "log_config": None,
        "access_log": hosting.log_level == "debug",
        "timeout_graceful_shutdown": math.ceil(patience + _CUT_OFF_SECONDS),
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
