"""HTTP as the client needs it: one contract, over sockets or into an application of the same process."""

from importlib import import_module
from typing import TYPE_CHECKING

from dragoman.client.http.base import AsgiApp, Http, HttpReply, HttpRequest, HttpStream

if TYPE_CHECKING:
    from dragoman.client.http.aiohttp_http import AiohttpHttp
    from dragoman.client.http.asgi_http import AsgiHttp

__all__ = [
    "AiohttpHttp",
    "AsgiApp",
    "AsgiHttp",
    "Http",
    "HttpReply",
    "HttpRequest",
    "HttpStream",
]

_LATE = {"AiohttpHttp": "aiohttp_http", "AsgiHttp": "asgi_http"}

if not TYPE_CHECKING:

    def __getattr__(name):
        """Import what carries requests when it is first asked for, and asyncio with it (PEP 562)."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
        return value
