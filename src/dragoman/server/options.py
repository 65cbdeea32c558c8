"""What an operator may set about the HTTP side of an agent, with its defaults (invariant I10)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpOptions:
    """How one agent behaves on HTTP. What it takes on at all stands in `dragoman.engine.limits.Limits`."""

    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1")
    """Addresses and networks whose `Forwarded` and `X-Forwarded-*` are believed; `*` believes everybody."""
    cors_origins: tuple[str, ...] = ()
    """Origins whose pages may call the agent from a browser; `*` means all."""
    body_timeout: timedelta = timedelta(seconds=30)
    """How long a request may take to arrive after its headers."""
    write_timeout: timedelta = timedelta(minutes=2)
    """How long a reader of a stream may take nothing before its stream is given up."""
    heartbeat: timedelta = timedelta(seconds=15)
    """A stream that was silent for this long gets a comment, so that no proxy takes it for dead."""
    card_max_age: timedelta = timedelta(minutes=1)
    """How long a client may use the card without asking again."""
