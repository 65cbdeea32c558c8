"""Where words go: answers and JSON to stdout, everything about them to stderr."""

import os
import re
import shutil
import sys
from typing import IO, Any

import click

_KEY = "dragoman.cli.output"

_ERASE_LINE = "\r\x1b[K"

# What a terminal would obey instead of show: an agent's words must not move the cursor or set the title.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Output:
    """Prints for a person, or with `as_json` for a program: then stdout holds JSON and nothing else."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._has_progress = False
        self._is_mid_line = False

    @property
    def is_watched(self) -> bool:
        """Whether somebody sees stderr as it comes."""
        return _is_terminal(sys.stderr)

    def say(self, text: str) -> None:
        """A line, or several, of the answer."""
        self.write(text + "\n")

    def write(self, text: str) -> None:
        """A piece of the answer, as it stands."""
        if self.as_json or not text:
            return
        self._clear_progress()
        shown = clean(text) if _is_terminal(sys.stdout) else text
        _print(shown, sys.stdout, end="")
        self._is_mid_line = not shown.endswith("\n")

    def end_line(self) -> None:
        """Begin a new line of the answer unless one is begun."""
        if self._is_mid_line:
            self.write("\n")

    def document(self, value: Any) -> None:
        """The one JSON document of a command."""
        import msgspec

        from dragoman.wire.codec import encode

        if self.as_json:
            _print(msgspec.json.format(encode(value), indent=2).decode(), sys.stdout)

    def line(self, value: Any) -> None:
        """One JSON line of a stream."""
        from dragoman.wire.codec import encode

        if self.as_json:
            _print(encode(value).decode(), sys.stdout)

    def note(self, text: str) -> None:
        """Something about the answer, on a line of its own."""
        self._clear_progress()
        if self._is_mid_line and _is_terminal(sys.stdout):
            self.write("\n")
        _print(clean(text), sys.stderr)

    def hint(self, text: str) -> None:
        """A note that only a person at a terminal needs."""
        if self.is_watched:
            self.note(text)

    def progress(self, text: str) -> None:
        """What happens now; the next one, or anything else, takes its place. Only at a terminal."""
        if not self.is_watched or self._is_mid_line or not text:
            return
        self._clear_progress()
        width = shutil.get_terminal_size().columns - 1
        _print(clean(" ".join(text.split()))[:width], sys.stderr, end="")
        self._has_progress = True

    def tick(self, text: str) -> None:
        self.note(f"{_mark('✓')}{text}")

    def cross(self, text: str) -> None:
        self.note(f"{_mark('✗')}{text}")

    def _clear_progress(self) -> None:
        if self._has_progress:
            self._has_progress = False
            _print(_ERASE_LINE, sys.stderr, end="")


def clean(text: str) -> str:
    """The text without what a terminal would obey."""
    return _CONTROLS.sub("", text)


def _is_terminal(stream: IO[str]) -> bool:
    return stream.isatty() and os.environ.get("TERM") != "dumb"


def _mark(sign: str) -> str:
    """A tick or a cross for a terminal that can show it."""
    encoding = getattr(sys.stderr, "encoding", None) or "ascii"
    try:
        sign.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return ""
    return f"{sign} "


def _print(text: str, stream: IO[str], end: str = "\n") -> None:
    print(text, end=end, file=stream, flush=True)


def output_option(command: Any) -> Any:
    """`--json` for a command, which gets an `Output` as `out`."""
    return click.option(
        "--json",
        "out",
        is_flag=True,
        callback=_make_output,
        help="Print JSON on stdout, for scripts.",
    )(command)


def get_output(ctx: click.Context) -> Output:
    """The output of the command that runs."""
    output = ctx.meta.get(_KEY)
    return output if isinstance(output, Output) else Output()


def _make_output(ctx: click.Context, _parameter: click.Parameter, as_json: bool) -> Output:
    ctx.meta[_KEY] = output = Output(as_json=as_json)
    return output
