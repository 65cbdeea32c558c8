"""Lists that come in pages (SPEC 2.4, LST-05)."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import TypeVar

from dragoman.model import BadResponse

T = TypeVar("T")


async def iterate_pages(load: Callable[[str], Awaitable[tuple[Sequence[T], str]]]) -> AsyncIterator[T]:
    """Every entry of every page. `load` takes a page token and gives the entries and the next token.

    An agent that hands out the same token twice in a row would be listed for ever: BadResponse.
    """
    token = ""
    while True:
        entries, following = await load(token)
        for entry in entries:
            yield entry
        if not following:
            return
        if following == token:
            raise BadResponse(f"the agent answers the page {token!r} with the same page as the next")
        token = following
