import asyncio
import os

import pytest

from dragoman.cli.lines import Lines


@pytest.fixture
def pipe():
    reading, writing = os.pipe()
    closed: set[int] = set()

    def close(end: int) -> None:
        closed.add(end)
        os.close(end)

    yield reading, writing, close
    for end in {reading, writing} - closed:
        os.close(end)


def ask_all(lines: Lines) -> list[str]:
    found: list[str] = []
    while (line := lines.ask("> ")) is not None:
        found.append(line)
    return found


@pytest.mark.parametrize(
    "said, expected",
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\r\ntwo", ["one", "two"]),
        (b"", []),
        (b"\n\n", ["", ""]),
        ("grün\n".encode(), ["grün"]),
        (b"\xff\n", ["\ufffd"]),
    ],
)
def test_a_pipe_is_read_line_by_line(pipe, said, expected):
    reading, writing, close = pipe
    os.write(writing, said)
    close(writing)
    assert ask_all(Lines(reading)) == expected


def test_a_line_may_come_in_pieces(pipe):
    reading, writing, close = pipe
    lines = Lines(reading)
    os.write(writing, b"one\ntw")
    assert lines.ask("> ") == "one"
    os.write(writing, b"o\n")
    close(writing)
    assert ask_all(lines) == ["two"]


async def test_a_line_can_be_taken_as_soon_as_it_comes(pipe):
    reading, writing, _ = pipe
    lines, taken = Lines(reading), asyncio.Event()

    def take(line: str) -> bool:
        taken.set()
        return line == "/cancel"

    with lines.watched(take):
        os.write(writing, b"/cancel\nnext\n")
        await taken.wait()
    assert lines.ask("> ") == "next"


async def test_a_line_that_is_there_already_can_be_taken(pipe):
    reading, writing, _ = pipe
    os.write(writing, b"first\n/cancel\nlast\n")
    lines = Lines(reading)
    assert lines.ask("> ") == "first"
    with lines.watched(lambda line: line == "/cancel"):
        pass
    assert lines.ask("> ") == "last"


async def test_a_file_is_not_watched_but_read(tmp_path):
    (tmp_path / "said").write_text("one\n/cancel\n")
    with (tmp_path / "said").open() as file:
        lines = Lines(file.fileno())
        assert lines.ask("> ") == "one"
        with lines.watched(lambda line: line == "/cancel"):
            await asyncio.sleep(0)
        assert lines.ask("> ") is None


async def test_the_end_of_a_pipe_is_noticed_while_it_is_watched(pipe):
    reading, writing, close = pipe
    lines, ended = Lines(reading), asyncio.Event()

    def take(line: str) -> bool:
        ended.set()
        return line == "unfinished"

    os.write(writing, b"unfinished")
    with lines.watched(take):
        close(writing)
        await ended.wait()
    assert lines.ask("> ") is None
