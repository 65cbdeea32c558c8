"""The headers that a caller adds to every request, and fresh ones when an agent refuses them (AUT-08, ENT-01)."""

import inspect
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias, TypeVar

from dragoman.model import UnauthenticatedError

T = TypeVar("T")

Headers: TypeAlias = Mapping[str, str]

Auth: TypeAlias = Callable[[str], Headers | Awaitable[Headers]]
"""Gives the headers that authenticate a request.

Called with "" before every request, and once more with the `WWW-Authenticate` of an agent that answered 401.
"""


class Credentials:
    """Static headers, and those that `auth` gives."""

    def __init__(self, headers: Headers | None = None, auth: Auth | None = None) -> None:
        self._headers = {name.lower(): value for name, value in (headers or {}).items()}
        self._auth = auth

    async def send(self, send: Callable[[Headers], Awaitable[T]]) -> T:
        """Call `send` with the headers; once more with fresh ones if it raises UnauthenticatedError.

        A request that was refused for its credentials was not carried out, so any may be repeated.
        """
        headers = await self._make_headers("")
        try:
            return await send(headers)
        except UnauthenticatedError as error:
            fresh = await self._make_headers(error.challenge)
            if fresh == headers:
                raise
        return await send(fresh)

    async def _make_headers(self, challenge: str) -> dict[str, str]:
        if self._auth is None:
            return self._headers
        given = self._auth(challenge)
        added = await given if inspect.isawaitable(given) else given
        return {**self._headers, **{name.lower(): value for name, value in added.items()}}
