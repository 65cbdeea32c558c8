"""What a person types, line by line, also while an answer is coming in."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from importlib import import_module

_CHUNK = 65536


class Lines:
    """Reads standard input: a terminal with editing and history where Python has them, a pipe or a file as it is."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._ready: deque[str] = deque()
        self._rest = b""
        self._is_ended = False
        self.is_terminal = os.isatty(descriptor)
        if self.is_terminal:
            _load_editing()

    def ask(self, prompt: str) -> str | None:
        """The next line, without its end; None when there is no more. Waits for one, so not for the event loop."""
        if self._ready:
            return self._ready.popleft()
        if self.is_terminal:
            return _ask_terminal(prompt)
        while not self._ready and not self._is_ended:
            self._read()
        return self._ready.popleft() if self._ready else None

    @contextmanager
    def watched(self, take: Callable[[str], bool]) -> Generator[None, None, None]:
        """Show `take` the next line while the loop runs, as soon as it is there; it says whether it took it."""
        loop = asyncio.get_running_loop()

        def look() -> None:
            self._read()
            while self._ready and take(self._ready[0]):
                self._ready.popleft()
            if self._is_ended:
                loop.remove_reader(self._descriptor)

        while self._ready and take(self._ready[0]):
            self._ready.popleft()
        # A file cannot be watched, and Windows watches sockets only: there a line is taken when it is asked for.
        with suppress(NotImplementedError, PermissionError, OSError):
            loop.add_reader(self._descriptor, look)
        try:
            yield
        finally:
            with suppress(NotImplementedError, OSError):
                loop.remove_reader(self._descriptor)

    def _read(self) -> None:
        chunk = os.read(self._descriptor, _CHUNK)
        self._is_ended = not chunk
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if not chunk and self._rest:
            lines, self._rest = [self._rest], b""
        self._ready.extend(line.decode("utf-8", "replace").removesuffix("\r") for line in lines)


def _ask_terminal(prompt: str) -> str | None:
    try:
        return input(prompt)
    except EOFError:
        print(file=sys.stderr)
        return None


def _load_editing() -> None:
    """`input` gets arrow keys and history by it; not every Python has it."""
    with suppress(ImportError):
        import_module("readline")
