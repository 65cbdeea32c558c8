"""Dragoman's own extensions: their URIs, and what both sides have to know of them (docs/extensions).

The version is the last segment; what changes in a way that breaks a peer gets a new one (XTN-01, XTN-02).
"""

from collections.abc import Mapping
from typing import Any, cast

from dragoman.model.base import JSON, Metadata
from dragoman.model.task import Message

NAMESPACE = "urn:dragoman:extensions:"

STREAM_RESUMPTION = NAMESPACE + "stream-resumption/v1"
"""Events of a stream are numbered, and a reader that was cut off goes on where it was."""

IDEMPOTENCY_KEY = NAMESPACE + "idempotency-key/v1"
"""A send that is made twice under one key is done once."""

QUESTION_SCHEMA = NAMESPACE + "question-schema/v1"
"""A question says what its answer should look like, as JSON Schema."""

OWN_EXTENSIONS = (STREAM_RESUMPTION, IDEMPOTENCY_KEY, QUESTION_SCHEMA)

_SCHEMA = "schema"


def dump_question_schema(schema: Mapping[str, JSON]) -> Metadata:
    """The metadata of a question whose answer should fit the schema."""
    return {QUESTION_SCHEMA: {_SCHEMA: dict(schema)}}


def load_question_schema(message: Message | None) -> dict[str, JSON] | None:
    """The JSON Schema that a question brings, if it brings one that is an object."""
    found: object = (message.metadata or {}).get(QUESTION_SCHEMA) if message is not None else None
    schema: object = cast("dict[str, Any]", found).get(_SCHEMA) if isinstance(found, dict) else None
    return cast("dict[str, JSON]", schema) if isinstance(schema, dict) else None
