"""Dragoman's own extensions as an agent declares them (docs/extensions)."""

from dragoman.engine.extension import Extension
from dragoman.model.extensions import IDEMPOTENCY_KEY, QUESTION_SCHEMA, STREAM_RESUMPTION


class StreamResumption(Extension):
    """Events of a stream have ids, and `Last-Event-ID` goes on behind one."""

    uri = STREAM_RESUMPTION
    description = "Events of a stream have ids; a reader that comes back with Last-Event-ID misses none."


class IdempotencyKeys(Extension):
    """A send that is made twice with one `Idempotency-Key` is done once."""

    uri = IDEMPOTENCY_KEY
    description = "A send that is made twice with one Idempotency-Key is done once."


class QuestionSchemas(Extension):
    """Questions bring the JSON Schema of their answer."""

    uri = QUESTION_SCHEMA
    description = (
        "A message that asks the caller something brings the JSON Schema of the answer in its metadata."
    )


OWN: tuple[Extension, ...] = (StreamResumption(), IdempotencyKeys(), QuestionSchemas())
"""Those that every agent knows. None is required: a caller that knows nothing of them misses nothing (XTN-12)."""
