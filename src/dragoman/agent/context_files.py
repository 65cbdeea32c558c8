"""`ctx.files`: the content of the files that a message brings, or says where to find."""

from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager

from dragoman.agent.fetching import FileError, FileFetcher
from dragoman.agent.portal import Portal
from dragoman.model import Message, Part


class ContextFiles:
    """The files of a task. Content that comes by URL is fetched within the agent's `FileOptions`, each time anew.

    FileError for what cannot be had, which fails the task with words for the caller unless it is caught.
    """

    def __init__(self, message: Message, fetcher: FileFetcher, input_modes: Sequence[str]) -> None:
        self._message = message
        self._fetcher = fetcher
        self._input_modes = input_modes

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the message that are files, by their content or by their URL."""
        return tuple(
            part for part in self._message.parts if isinstance(part.raw, bytes) or isinstance(part.url, str)
        )

    async def read(self, part: Part) -> bytes:
        """The whole content of a part: its bytes, its text as UTF-8, or what lies at its URL."""
        async with self.open(part) as pieces:
            return b"".join([piece async for piece in pieces])

    def open(self, part: Part) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The content in pieces, for an `async with` block and an `async for` in it.

        async with ctx.files.open(part) as pieces:
            async for piece in pieces: ...
        """
        if isinstance(part.url, str):
            return self._fetcher.open(part.url, (part.media_type,) if part.media_type else self._input_modes)
        return _pass_on(_get_content(part))


class SyncContextFiles:
    """`ContextFiles` for a thread: the same methods, which block."""

    def __init__(self, files: ContextFiles, portal: Portal) -> None:
        self._files = files
        self._portal = portal

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the message that are files, by their content or by their URL."""
        return self._files.parts

    def read(self, part: Part) -> bytes:
        """The whole content of a part: its bytes, its text as UTF-8, or what lies at its URL."""
        return self._portal.call(lambda: self._files.read(part))

    @contextmanager
    def open(self, part: Part) -> Generator[Iterator[bytes], None, None]:
        """The content in pieces, for a `with` block and a `for` in it."""
        opened = self._files.open(part)
        pieces = self._portal.call(opened.__aenter__)
        try:
            yield self._iterate(pieces)
        finally:
            self._portal.call(lambda: _leave(opened))

    def _iterate(self, pieces: AsyncIterator[bytes]) -> Iterator[bytes]:
        async def take() -> bytes | None:
            return await anext(pieces, None)

        while (piece := self._portal.call(take)) is not None:
            yield piece


async def _leave(opened: AbstractAsyncContextManager[AsyncIterator[bytes]]) -> None:
    await opened.__aexit__(None, None, None)


@asynccontextmanager
async def _pass_on(content: bytes) -> AsyncGenerator[AsyncIterator[bytes], None]:
    async def pieces() -> AsyncIterator[bytes]:
        yield content

    yield pieces()


def _get_content(part: Part) -> bytes:
    if isinstance(part.raw, bytes):
        return part.raw
    if isinstance(part.text, str):
        return part.text.encode()
    raise FileError("a data part is not a file")
