"""Which extensions a client asks for, and which an agent says are active (SPEC 3.6, 6.11)."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from dragoman.client.http import Http, HttpRequest, HttpStream
from dragoman.model import AgentCard, ExtensionSupportRequiredError
from dragoman.model.extensions import OWN_EXTENSIONS
from dragoman.wire.parameters import EXTENSIONS_HEADER, OLD_EXTENSIONS_HEADER

_NEW, _OLD = EXTENSIONS_HEADER.lower(), OLD_EXTENSIONS_HEADER.lower()


class NamedExtension(Protocol):
    """An extension by its URI; if it has `requires`, they are the URIs of those that it is nothing without."""

    @property
    def uri(self) -> str: ...


def list_wanted(extensions: Iterable[str | NamedExtension]) -> tuple[str, ...]:
    """Their URIs, each followed by those that it requires (XTN-10)."""
    wanted: dict[str, None] = {}
    for one in extensions:
        wanted[one if isinstance(one, str) else one.uri] = None
        required: Sequence[str] = getattr(one, "requires", ())
        wanted.update(dict.fromkeys(required))
    return tuple(wanted)


def choose_extensions(card: AgentCard, wanted: Sequence[str]) -> tuple[str, ...]:
    """What to ask the agent for: what is wanted, and of Dragoman's own what the card declares.

    ExtensionSupportRequiredError if the card requires others: the agent would refuse every call (CAP-06, CAP-07).
    """
    declared = card.capabilities.extensions
    chosen = (*wanted, *(entry.uri for entry in declared if entry.uri in OWN_EXTENSIONS))
    missing = [entry.uri for entry in declared if entry.required and entry.uri not in chosen]
    if missing:
        named = ", ".join(map(repr, missing))
        raise ExtensionSupportRequiredError(
            f"{card.name!r} requires extensions that this client does not have: {named}; if what calls it speaks them, "
            f"name them with Client(extensions=[{named}])"
        )
    return tuple(dict.fromkeys(chosen))


class ExtensionWatch(Http):
    """Carries requests by `inner`, and notes which extensions the last answer says are active."""

    def __init__(self, inner: Http) -> None:
        self.active: frozenset[str] = frozenset()
        self._inner = inner

    async def open(self, request: HttpRequest) -> HttpStream:
        stream = await self._inner.open(request)
        self.note(stream.headers.get(_NEW) or stream.headers.get(_OLD, ""))
        return stream

    def note(self, told: str) -> None:
        """What an answer says about it, by whatever binding."""
        self.active = frozenset(filter(None, (uri.strip() for uri in told.split(","))))

    async def close(self) -> None:
        await self._inner.close()

    @property
    def is_open(self) -> bool:
        return self._inner.is_open
