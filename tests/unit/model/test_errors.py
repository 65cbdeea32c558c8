"""Every error, and the one table of what it is called on each wire (SPEC 3.2)."""

from datetime import timedelta

import pytest

from dragoman.model import (
    A2AError,
    DragomanError,
    FieldViolation,
    InternalError,
    InvalidParamsError,
    Message,
    Part,
    Role,
    SkillError,
    Task,
    TaskNotFoundError,
    TaskState,
    TaskStatus,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import ERROR_TABLE, row_for_code, row_for_reason, row_of
from dragoman.model.peer_errors import InputRequiredError, PeerError, Rejected, TaskFailedError, Unreachable

PROTOCOL_CODES = range(-32009, -32000)


def subclasses(kind: type[A2AError]) -> set[type[A2AError]]:
    found = {kind}
    for child in kind.__subclasses__():
        found |= subclasses(child)
    return found


def test_every_error_of_the_protocol_has_a_row_of_its_own():
    ours = {kind for kind in subclasses(A2AError) if kind.__module__ == "dragoman.model.errors"}
    assert {row.error for row in ERROR_TABLE} == ours - {A2AError}
    for names in ({row.code for row in ERROR_TABLE}, {row.reason for row in ERROR_TABLE}):
        assert len(names) == len(ERROR_TABLE)


def test_the_protocols_own_codes_are_all_there():
    assert {row.code for row in ERROR_TABLE if row.code in PROTOCOL_CODES} == set(PROTOCOL_CODES)


@pytest.mark.parametrize("row", ERROR_TABLE, ids=lambda row: row.error.__name__)
def test_rows_are_found_by_error_code_and_reason(row):
    error = row.error()
    assert row_of(error) is row
    assert row_for_code(row.code) is row
    assert row_for_reason(row.reason) is row
    assert error.message == str(error) == row.error.default_message


def test_an_error_of_somebody_elses_has_the_row_of_the_nearest_class_above():
    class GoneError(TaskNotFoundError):
        """Not in the table."""

    class OddError(A2AError):
        """Nor any class above it."""

    assert row_of(GoneError()).error is TaskNotFoundError
    assert row_of(OddError()).error is InternalError
    assert row_for_code(-1) is None
    assert row_for_reason("NO_SUCH_REASON") is None


def test_violations_are_part_of_the_text():
    error = InvalidParamsError(
        violations=[
            FieldViolation(field="a", description="is missing"),
            FieldViolation(field="b", description="is odd"),
        ],
        metadata={"k": "v"},
    )
    assert str(error) == "invalid parameters (a: is missing; b: is odd)"
    assert error.message == "invalid parameters"
    assert error.metadata == {"k": "v"}


def test_some_errors_say_what_to_do():
    assert UnavailableError(retry_after=timedelta(seconds=5)).retry_after == timedelta(seconds=5)
    assert UnauthenticatedError(challenge='Bearer realm="x"').challenge == 'Bearer realm="x"'


def test_a_skills_error_has_words_and_data():
    error = SkillError("No seats", data={"left": 0})
    assert (str(error), error.message, error.data) == ("No seats", "No seats", {"left": 0})


def test_what_a_peer_did_wrong_names_its_address():
    assert Unreachable("no route", url="https://x.example").url == "https://x.example"
    error = Rejected("refused", status=403, url="https://x.example")
    assert (error.status, error.url, str(error)) == (403, "https://x.example", "refused")
    assert isinstance(error, PeerError)
    assert isinstance(error, DragomanError)


def test_a_failed_task_says_what_it_had_to_say():
    said = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("no seats"),))
    failed = Task(id="t", status=TaskStatus(state=TaskState.FAILED, message=said))
    silent = Task(id="t", status=TaskStatus(state=TaskState.CANCELED))
    assert str(TaskFailedError(failed)) == "the task is failed: no seats"
    assert str(TaskFailedError(silent)) == "the task is canceled"
    assert TaskFailedError(failed).task is failed
    asking = InputRequiredError(Task(id="t", status=TaskStatus(state=TaskState.INPUT_REQUIRED, message=said)))
    assert str(asking) == (
        "the agent asks: no seats; pass on_question to ask(), or answer it with client.task('t').reply(...)"
    )
    assert asking.task.id == "t"
