"""The generations of the protocol before 1.0, in JSON: each a `Dialect` that says everything in its own words (SPEC 7).

The model is 1.0; a dialect brings its records from and to the JSON of its generation. Nothing here does I/O or keeps anything:

* `dialect_of(generation)` is the dialect of JSON-RPC; `PROTO` names the third wire shape of 0.3, in which its REST binding and its gRPC
  travel, and `dialect_named` finds any by its name.
* A server decodes a call with `load_request`, answers with `dump_result` and `dump_error`, writes a stream with `open_stream`, a webhook's
  body with `dump_webhook`, and publishes `merged_card`.
* A client asks `load_card` for a card of any generation, whose interfaces name the generation by `protocol_version`. It calls
  `method_of` for the JSON-RPC method and `dump_request` for its params, or `rest.build_request` for a path and a body of 0.3. What comes back goes
  through `load_result`, each event of a stream through `load_event`, and an error object through `load_error`. InvalidParamsError then means an answer
  that cannot be read. A 0.1 send takes its task's id from `message.task_id`, and makes one if that is empty: it stands as `id` in
  the params.

The modules behind are imported when a dialect is first asked for: an agent that nobody calls in an old one does without.
"""

from functools import cache
from importlib import import_module
from typing import Any

from dragoman.model import JSON, AgentCard, Generation
from dragoman.wire.dialects.base import Dialect, StreamWriter

__all__ = [
    "EITHER",
    "PLAIN_PROTO",
    "PROTO",
    "Dialect",
    "StreamWriter",
    "dialect_named",
    "dialect_of",
    "load_card",
    "merged_card",
]

PROTO = "0.3 proto"
"""The dialect of 0.3 over REST and gRPC."""
PLAIN_PROTO = "0.3 proto with plain bytes"
"""The same for peers that write bytes as base64 once, which the Python SDK does not."""
EITHER = "0.3 or 0.1"
"""Prints what readers of 0.3 and of 0.1 understand, for the methods that both have (SPEC 7.7)."""


@cache
def dialect_of(generation: Generation) -> Dialect:
    """The dialect of the generation over JSON-RPC."""
    return dialect_named(generation.value)


@cache
def dialect_named(name: str) -> Dialect:
    """The dialect by its own name; KeyError if there is none."""
    module, kind, arguments = _PLACES[name]
    dialect: Dialect = getattr(import_module(f"{__name__}.{module}"), kind)(**arguments)
    return dialect


_PLACES: dict[str, tuple[str, str, dict[str, Any]]] = {
    Generation.V1_0.value: ("latest", "LatestDialect", {}),
    Generation.V0_3.value: ("third", "KindDialect", {"generation": Generation.V0_3}),
    Generation.V0_2.value: ("third", "KindDialect", {"generation": Generation.V0_2}),
    Generation.V0_1.value: ("first", "FirstDialect", {}),
    PROTO: ("proto", "ProtoDialect", {}),
    PLAIN_PROTO: ("proto", "ProtoDialect", {"plain": True}),
    EITHER: ("third", "KindDialect", {"generation": Generation.V0_3, "for_both": True}),
}


def load_card(card: JSON) -> AgentCard:
    """A card of any generation; InvalidParamsError that names the members of one that cannot be read."""
    from dragoman.wire.dialects.cards import load_card as load

    return load(card)


def merged_card(card: AgentCard) -> JSON:
    """The card of 1.0 with what older readers look for beside it; the pure one if it has no interface for them."""
    from dragoman.wire.dialects.cards import merged_card as merge

    return merge(card)
