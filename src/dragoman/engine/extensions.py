"""The extensions of one agent: which of them are active for a call, and what their hooks make of it."""

import inspect
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace as change
from functools import partial
from typing import Any, TypeAlias, TypeVar

from msgspec.structs import replace

from dragoman.engine.errors import log_and_refer
from dragoman.engine.extension import Extension, Named
from dragoman.engine.handler import Call
from dragoman.model import (
    JSON,
    A2AError,
    AgentCard,
    AgentExtension,
    Event,
    InternalError,
    Message,
    Metadata,
    ParseError,
    SendMessageRequest,
)
from dragoman.wire import codec
from dragoman.wire.depth import check_depth

T = TypeVar("T")

Annotate: TypeAlias = Callable[[Event], Metadata | None]
"""The metadata of an event, with what the extensions of a call add to it."""

MAX_METADATA_BYTES = 64 * 1024
"""What one extension may add to one event: it lies on the log, and goes to every reader."""

HOOKS = ("activate", "on_message", "on_event", "on_card")

logger = logging.getLogger("dragoman.engine.extensions")


class Extensions:
    """The extensions that an agent knows, in the order in which their hooks are called. ValueError for what cannot be one."""

    def __init__(self, known: Iterable[Named] = ()) -> None:
        self._known: dict[str, Named] = {}
        for one in known:
            _check(one)
            if one.uri in self._known:
                raise ValueError(f"the extension {one.uri!r} is given twice")
            self._known[one.uri] = one
        self._activating = self._with_hook("activate")
        self._hearing = self._with_hook("on_message")
        self._telling = self._with_hook("on_event")
        self._showing = self._with_hook("on_card")

    @property
    def declarations(self) -> tuple[AgentExtension, ...]:
        """How the card names them."""
        return tuple(map(_declare, self._known.values()))

    def activate(self, call: Call) -> Call:
        """The call with those of the extensions it asks for that are active: known, willing, and with what they require.

        Others are left out without a word (XTN-03), also another version of one that is known (XTN-05).
        """
        if not call.extensions:
            return call
        active = [uri for uri in dict.fromkeys(call.extensions) if self._is_willing(uri, call)]
        while lonely := [uri for uri in active if not set(_list_required(self._known[uri])) <= set(active)]:
            active = [uri for uri in active if uri not in lonely]
        return change(call, extensions=tuple(active))

    def receive(self, call: Call, request: SendMessageRequest) -> SendMessageRequest:
        """The request as the extensions of the call leave it: only the metadata of its message can differ."""
        if not call.extensions:
            return request
        for uri, hook in _choose(self._hearing, call.extensions):
            heard = _contain(uri, "on_message", partial(_hear, uri, hook, request.message), may_refuse=True)
            if heard is not None:
                request = replace(request, message=heard)
        return request

    def annotator(self, call: Call) -> Annotate | None:
        """What adds metadata to the events of the call's task; None where nobody has any."""
        if not call.extensions:
            return None
        hooks = _choose(self._telling, call.extensions)
        return partial(_annotate, hooks) if hooks else None

    def show(self, card: AgentCard) -> AgentCard:
        """The card as the extensions leave it."""
        for uri, hook in self._showing:
            shown = _contain(uri, "on_card", partial(_look, hook, card), may_refuse=False)
            card = card if shown is None else shown
        return card

    def _with_hook(self, name: str) -> "_Hooks":
        hooks = ((uri, getattr(one, name, None)) for uri, one in self._known.items())
        plain = getattr(Extension, name)
        return [
            (uri, hook)
            for uri, hook in hooks
            if hook is not None and getattr(hook, "__func__", hook) is not plain
        ]

    def _is_willing(self, uri: str, call: Call) -> bool:
        if uri not in self._known:
            return False
        for _, hook in _choose(self._activating, (uri,)):
            try:
                return bool(hook(call))
            except A2AError:
                raise
            except Exception:  # noqa: BLE001 -- logged by log_and_refer
                refusal = log_and_refer(f"the extension {uri} could not be activated")
                if getattr(self._known[uri], "required", False):
                    raise InternalError(refusal) from None
                return False
        return True


_Hooks: TypeAlias = list[tuple[str, Callable[..., Any]]]


def _choose(hooks: _Hooks, active: Sequence[str]) -> _Hooks:
    return [(uri, hook) for uri, hook in hooks if uri in active] if hooks and active else []


def _contain(uri: str, name: str, hook: Callable[[], T | None], *, may_refuse: bool) -> T | None:
    """What a hook gives. An A2AError is the caller's to hear where the hook may refuse; anything else is the operator's."""
    try:
        return hook()
    except Exception as error:
        if may_refuse and isinstance(error, A2AError):
            raise
        logger.exception("%s of the extension %s failed, and is left out", name, uri)
        return None


def _hear(uri: str, hook: Callable[[Message], object], message: Message) -> Message | None:
    heard = hook(message)
    if heard is None:
        return None
    if not isinstance(heard, Message):
        raise TypeError(f"on_message gives a Message or None, not a {type(heard).__name__}")
    return replace(message, metadata=_freeze(uri, heard.metadata))


def _look(hook: Callable[[AgentCard], object], card: AgentCard) -> AgentCard | None:
    shown = hook(card)
    if shown is not None and not isinstance(shown, AgentCard):
        raise TypeError(f"on_card gives an AgentCard or None, not a {type(shown).__name__}")
    if shown is not None:
        codec.encode(shown)
    return shown


def _annotate(hooks: _Hooks, event: Event) -> Metadata | None:
    metadata = event.metadata
    for uri, hook in hooks:
        try:
            added = _confine(uri, hook(event))
        except Exception:
            logger.exception("on_event of the extension %s failed, and is left out", uri)
        else:
            metadata = {**(metadata or {}), **added} if added else metadata
    return metadata


def _confine(uri: str, added: Mapping[str, JSON] | None) -> Metadata:
    """What an extension adds, as it will lie on the log; ValueError for what is not JSON, too large, or another's."""
    frozen = _freeze(uri, None if added is None else dict(added)) or {}
    if strange := [name for name in frozen if name != uri and not name.startswith(uri + "/")]:
        raise ValueError(f"an extension writes under its own URI only, and not under {strange}")
    return frozen


def _freeze(uri: str, metadata: Metadata | None) -> Metadata | None:
    """A copy that nobody can change any more, of what could be sent."""
    if metadata is None:
        return None
    data = codec.encode(metadata)
    if len(data) > MAX_METADATA_BYTES:
        raise ValueError(f"the metadata of {uri} have {len(data)} bytes; {MAX_METADATA_BYTES} at most")
    try:
        check_depth(data)
        frozen: Metadata = codec.decode_json(data)
    except ParseError as error:
        raise ValueError(f"the metadata of {uri} cannot be sent: {error.message}") from error
    return frozen


def is_own(name: str, uris: Iterable[str]) -> bool:
    """Whether a member of some metadata is an extension's."""
    return any(name == uri or name.startswith(uri + "/") for uri in uris)


def _check(one: Named) -> None:
    uri: object = getattr(one, "uri", None)
    is_uri = isinstance(uri, str) and ":" in uri and uri.isascii() and uri.isprintable()
    if not is_uri or not isinstance(uri, str) or set(uri) & set(', "'):
        raise ValueError(
            f"an extension has a 'uri', such as 'https://example.com/extensions/it/v1', not {uri!r}"
        )
    for name in HOOKS:
        if inspect.iscoroutinefunction(getattr(one, name, None)):
            raise ValueError(f"{name} of the extension {uri!r} is async; hooks do not wait")
    codec.encode(_declare(one))


def _declare(one: Named) -> AgentExtension:
    params: Mapping[str, JSON] | None = getattr(one, "params", None)
    return AgentExtension(
        uri=one.uri,
        description=getattr(one, "description", ""),
        required=bool(getattr(one, "required", False)),
        params=None if params is None else dict(params),
    )


def _list_required(one: Named) -> Sequence[str]:
    required: Sequence[str] = getattr(one, "requires", ())
    return required
