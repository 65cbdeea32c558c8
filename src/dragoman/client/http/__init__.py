"""HTTP as the client needs it: one contract, over sockets or into an application of the same process."""

from dragoman.client.http.aiohttp_http import AiohttpHttp
from dragoman.client.http.asgi_http import AsgiApp, AsgiHttp
from dragoman.client.http.base import Http, HttpReply, HttpRequest, HttpStream

__all__ = [
    "AiohttpHttp",
    "AsgiApp",
    "AsgiHttp",
    "Http",
    "HttpReply",
    "HttpRequest",
    "HttpStream",
]
