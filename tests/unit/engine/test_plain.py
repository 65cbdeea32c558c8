"""What is taken for sound at a glance would be read again as it is, and nobody can change it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.engine.entries import LogEntry, dump_entry, load_entry
from dragoman.engine.plain import is_plain_message
from dragoman.model import Artifact, Message, Part, Role, TaskArtifactUpdateEvent


class Shouted(str):
    """A text that has more to it."""

    __slots__ = ("volume",)


_TEXTS = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
_PARTS = st.lists(
    st.builds(
        lambda text, name, kind: Part(text=text, filename=name, media_type=kind), _TEXTS, _TEXTS, _TEXTS
    ),
    min_size=1,
    max_size=3,
).map(tuple)


def _piece(artifact: Artifact) -> LogEntry:
    event = TaskArtifactUpdateEvent(task_id="t", context_id="c", artifact=artifact)
    return LogEntry(artifact_update=event)


@given(_TEXTS.filter(bool), _PARTS)
def test_a_plain_message_reads_back_equal(message_id, parts):
    message = Message(message_id=message_id, role=Role.USER, parts=parts)
    assert is_plain_message(message)
    data, entry = dump_entry(LogEntry(received=message))
    assert load_entry(data) == entry


_TEXT = (Part.of_text("x"),)


@pytest.mark.parametrize(
    "wrong",
    [
        {"message_id": ""},
        {"role": "ROLE_USER"},
        {"context_id": None},
        {"task_id": 7},
        {"message_id": Shouted("x")},
        {"parts": ()},
        {"parts": [Part.of_text("x")]},
        {"parts": ("x",)},
        {"parts": (Part(text=7),)},  # type: ignore[arg-type]
        {"parts": (Part.of_text("x", metadata={}),)},
        {"parts": (Part.of_data([]),)},
        {"parts": (Part.of_bytes(b"x"),)},
        {"parts": (Part(text="x", filename=7),)},  # type: ignore[arg-type]
        {"metadata": {}},
        {"extensions": ("x",)},
        {"reference_task_ids": ["x"]},
    ],
)
def test_a_message_with_more_to_it_is_not_plain(wrong):
    members: dict[str, Any] = {"message_id": "m", "role": Role.USER, "parts": _TEXT, **wrong}
    assert not is_plain_message(Message(**members))


@pytest.mark.parametrize("artifact_id", ["", 7])
def test_what_could_not_be_read_again_is_refused(artifact_id):
    with pytest.raises(ValueError, match="cannot take this"):
        dump_entry(_piece(Artifact(artifact_id=artifact_id, parts=_TEXT)))


def test_what_can_be_changed_is_copied():
    data = {"seats": 1}
    _, entry = dump_entry(_piece(Artifact(artifact_id="a", parts=(Part.of_data(data),))))
    data["seats"] = 2
    assert entry.artifact_update is not None
    assert entry.artifact_update.artifact.parts[0].data == {"seats": 1}
