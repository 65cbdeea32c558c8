"""The bytes of a card that are signed (SPEC 4.5, SIG-02 to SIG-09; docs/decisions/0011)."""

from typing import NamedTuple

from msgspec.structs import replace

from dragoman.model import JSON, AgentCard, MissingExtraError, ParseError
from dragoman.wire.codec import decode_json, encode
from dragoman.wire.depth import check_depth
from dragoman.wire.narrowing import is_array, is_object

MAX_EXACT_INTEGER = 2**53 - 1
"""Beyond it a JSON number is the nearest double, for RFC 8785 knows no other (D-29)."""


class NotCanonicalError(ValueError):
    """The card holds something that RFC 8785 has no form for, such as half a surrogate pair."""


class Payloads(NamedTuple):
    """`exact` is what the specification asks for. `stripped` is what the official SDK signs: without anything that is empty."""

    exact: bytes
    stripped: bytes


def make_payloads(card: AgentCard) -> Payloads:
    """Both canonical forms of a card, which are the same for most; NotCanonicalError if it has none.

    The record knows what is REQUIRED, what is optional and what is a default, and prints it so.
    """
    printed = encode(replace(card, signatures=()))
    try:
        check_depth(printed)
        value = decode_json(printed)
        return Payloads(_canonicalise(value), _canonicalise(_strip(value)))
    except ParseError as error:
        raise NotCanonicalError(error.message) from None


def _canonicalise(value: JSON) -> bytes:
    try:
        import rfc8785
    except ImportError:
        raise MissingExtraError("signing") from None
    try:
        return rfc8785.dumps(_to_doubles(value))
    except (rfc8785.CanonicalizationError, OverflowError, UnicodeError) as error:
        raise NotCanonicalError(f"the card has no canonical form: {error}") from None


def _to_doubles(value: JSON) -> JSON:
    """Numbers as protobuf and JavaScript read them."""
    if is_object(value):
        return {name: _to_doubles(entry) for name, entry in value.items()}
    if is_array(value):
        return [_to_doubles(entry) for entry in value]
    is_large = isinstance(value, int) and abs(value) > MAX_EXACT_INTEGER
    return float(value) if is_large else value


def _strip(value: JSON) -> JSON:
    """Without empty strings, arrays and objects, and without null, at any depth; None if nothing is left."""
    if is_object(value):
        members = {name: _strip(entry) for name, entry in value.items()}
        return {name: entry for name, entry in members.items() if entry is not None} or None
    if is_array(value):
        return [kept for entry in value if (kept := _strip(entry)) is not None] or None
    return None if isinstance(value, str) and not value else value
