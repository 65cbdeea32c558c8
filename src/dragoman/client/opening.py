"""What a client is put together from."""

from typing import TYPE_CHECKING

from dragoman.client.cards import CardFetcher, CardKeeper, check_url, find_card_url, find_old_card_url
from dragoman.client.credentials import Credentials
from dragoman.client.http import AsgiApp, Http
from dragoman.client.options import Options, Timeout
from dragoman.client.session import Session
from dragoman.model import AgentCard

if TYPE_CHECKING:
    import ssl

    import aiohttp

    from dragoman.security.cards import CardVerifier

IN_PROCESS_URL = "http://localhost"


def choose_http(
    target: str | AgentCard | AsgiApp,
    http: "Http | aiohttp.ClientSession | ssl.SSLContext | None",
    timeout: Timeout,
) -> Http:
    """What carries the requests of a client to `target`."""
    if isinstance(http, Http):
        return http
    if callable(target):
        from dragoman.client.http.asgi_http import AsgiHttp

        return AsgiHttp(target)
    import ssl

    from dragoman.client.http.aiohttp_http import AiohttpHttp

    if isinstance(http, ssl.SSLContext):
        return AiohttpHttp(connect_seconds=timeout.connect_seconds, tls=http)
    return AiohttpHttp(connect_seconds=timeout.connect_seconds, session=http)


def open_session(
    target: str | AgentCard | AsgiApp,
    http: Http,
    credentials: Credentials,
    options: Options,
    verifier: "CardVerifier | None",
) -> Session:
    """The session of a client, which reads the card of `target` when it first needs it."""
    now = options.world.now
    if isinstance(target, AgentCard):
        url = target.supported_interfaces[0].url
        return Session(url, http, CardKeeper(None, target, now=now, verifier=verifier), credentials, options)
    url = check_url(target) if isinstance(target, str) else IN_PROCESS_URL
    card_url = find_card_url(url)
    fetcher = CardFetcher(
        http,
        card_url,
        credentials,
        old_url=find_old_card_url(url, card_url),
        idle=options.timeout.idle_seconds,
    )
    return Session(url, http, CardKeeper(fetcher, None, now=now, verifier=verifier), credentials, options)
