"""What a caller gives becomes a message, and what an agent answers becomes text."""

from dataclasses import dataclass

import msgspec
import pydantic
import pytest

from dragoman.client.content import compose, read_text, to_parts
from dragoman.model import Artifact, Message, Part, Role, Task, TaskState, TaskStatus
from tests.unit.client.scripted import artifact, says_message, task


@dataclass
class Trip:
    city: str


class Struct(msgspec.Struct):
    city: str


class Model(pydantic.BaseModel):
    city: str


@pytest.mark.parametrize(
    "content,parts",
    [
        ("hi", [Part.of_text("hi")]),
        ("", [Part.of_text("")]),
        (b"\0", [Part.of_bytes(b"\0")]),
        (Part.of_url("http://x"), [Part.of_url("http://x")]),
        ([Part.of_text("a"), Part.of_text("b")], [Part.of_text("a"), Part.of_text("b")]),
        ((Part.of_text("a"),), [Part.of_text("a")]),
        ({"a": 1}, [Part.of_data({"a": 1})]),
        ([1, 2], [Part.of_data([1, 2])]),
        ([], [Part.of_data([])]),
        (3, [Part.of_data(3)]),
        (None, [Part.of_data(None)]),
        (Trip("Rome"), [Part.of_data({"city": "Rome"})]),
        (Struct("Rome"), [Part.of_data({"city": "Rome"})]),
        (Model(city="Rome"), [Part.of_data({"city": "Rome"})]),
    ],
)
def test_content_becomes_parts(content, parts):
    assert list(to_parts(content)) == parts


@pytest.mark.parametrize("content", [object(), [Part.of_text("a"), object()], print])
def test_what_has_no_form_in_json_is_refused(content):
    with pytest.raises(TypeError, match="give text, bytes, JSON, a Part or a Message"):
        to_parts(content)


def test_a_message_gets_only_the_ids_that_it_lacks():
    given = Message(message_id="mine", role=Role.USER, parts=(Part.of_text("hi"),), context_id="c0")
    made = compose(given, message_id="new", context_id="c1", task_id="t1")
    assert (made.message_id, made.context_id, made.task_id) == ("mine", "c0", "t1")


def test_content_becomes_a_message_of_the_user():
    assert compose("hi", message_id="m", task_id="t1") == Message(
        message_id="m", role=Role.USER, parts=(Part.of_text("hi"),), task_id="t1"
    )


def test_the_text_of_a_message():
    parts = (
        Part.of_text("a"),
        Part.of_data({"b": [1, 2]}),
        Part.of_url("http://x"),
        Part.of_bytes(b"\0"),
        Part.of_bytes(b"c", media_type="text/plain"),
    )
    assert read_text(Message(message_id="m", role=Role.AGENT, parts=parts)) == 'a\n{"b":[1,2]}\nhttp://x\nc'


def test_the_text_of_a_task_is_that_of_its_artifacts():
    made = Task(
        id="t1",
        status=TaskStatus(state=TaskState.COMPLETED, message=says_message("done")),
        artifacts=(
            artifact("Hel", "lo"),
            Artifact(artifact_id="a2", parts=(Part.of_text("x"), Part.of_data(None), Part.of_text("y"))),
        ),
    )
    assert read_text(made) == "Hello\nx\nnull\ny"


def test_the_text_of_a_task_without_artifacts_is_that_of_its_status():
    assert read_text(task(TaskState.COMPLETED, says="done")) == "done"
    assert read_text(task(TaskState.COMPLETED)) == ""
