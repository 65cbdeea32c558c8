import io
import shutil

import pytest

from dragoman.cli.exits import Exit
from dragoman.cli.failures import CommandError, explain, report
from dragoman.cli.output import Output, clean
from dragoman.cli.parts import show_artifact, show_message, show_part, show_size
from dragoman.cli.telling import Teller, name_state
from dragoman.model import (
    Artifact,
    BadResponse,
    CircuitOpen,
    FieldViolation,
    InputRequiredError,
    InvalidParamsError,
    Message,
    Part,
    Rejected,
    Role,
    Task,
    TaskArtifactUpdateEvent,
    TaskFailedError,
    TaskNotFoundError,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    TimedOut,
    UnauthenticatedError,
    Unreachable,
)


class Terminal(io.StringIO):
    """A stream that somebody watches."""

    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def watch(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put a terminal at both ends of the output; not in a fixture, because pytest captures anew after those."""
    screen = Terminal()
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stdout", screen)
    monkeypatch.setattr("sys.stderr", screen)
    return screen


def make_task(state: TaskState, *artifacts: Artifact, words: str = "") -> Task:
    message = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text(words),)) if words else None
    return Task(id="t", context_id="c", status=TaskStatus(state=state, message=message), artifacts=artifacts)


def make_chunk(artifact_id: str, *parts: Part) -> TaskArtifactUpdateEvent:
    return TaskArtifactUpdateEvent(
        task_id="t", context_id="c", artifact=Artifact(artifact_id=artifact_id, parts=parts)
    )


def test_an_agent_cannot_command_the_terminal():
    assert clean("\x1b[31mred\x1b]0;title\x07\x9b2J\r\n\tend\x7f") == "[31mred]0;title2J\n\tend"


def test_what_a_pipe_gets_is_left_as_it_is(capsys):
    Output().say("\x1b[31mred")
    assert capsys.readouterr().out == "\x1b[31mred\n"


def test_what_a_terminal_gets_is_cleaned(monkeypatch):
    terminal = watch(monkeypatch)
    Output().say("\x1b[31mred")
    assert terminal.getvalue() == "[31mred\n"


def test_with_json_stdout_holds_nothing_else(capsys):
    out = Output(as_json=True)
    out.say("words")
    out.write("words")
    out.line({"a": 1})
    out.tick("done")
    captured = capsys.readouterr()
    assert captured.out == '{"a":1}\n'
    assert "done" in captured.err


def test_without_json_there_is_none(capsys):
    Output().document({"a": 1})
    Output().line({"a": 1})
    assert capsys.readouterr().out == ""


def test_progress_and_hints_are_for_a_terminal_only(capsys):
    Output().progress("10%")
    Output().hint("try this")
    assert capsys.readouterr().err == ""


def test_progress_gives_way_to_what_comes_next(monkeypatch):
    terminal = watch(monkeypatch)
    out = Output()
    out.progress("10%   of\nit")
    out.note("done")
    assert terminal.getvalue() == "10% of it\r\x1b[Kdone\n"


def test_progress_fits_into_a_line(monkeypatch):
    terminal = watch(monkeypatch)
    Output().progress("x" * 1000)
    assert len(terminal.getvalue()) < shutil.get_terminal_size().columns


def test_a_dumb_terminal_gets_no_progress(monkeypatch):
    terminal = watch(monkeypatch)
    monkeypatch.setenv("TERM", "dumb")
    Output().progress("10%")
    assert terminal.getvalue() == ""


def test_a_terminal_that_lacks_a_tick_gets_none(monkeypatch):
    screen = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr("sys.stderr", screen)
    Output().tick("done")
    assert screen.buffer.getvalue() == b"done\n"


@pytest.mark.parametrize(
    "error, code, reason",
    [
        (Unreachable("gone"), Exit.UNREACHABLE, "UNREACHABLE"),
        (CircuitOpen("resting"), Exit.UNREACHABLE, "UNREACHABLE"),
        (Rejected("no", status=404), Exit.UNREACHABLE, "UNREACHABLE"),
        (BadResponse("what"), Exit.UNREACHABLE, "BAD_RESPONSE"),
        (TimedOut("slow"), Exit.TIMED_OUT, "TIMED_OUT"),
        (TaskNotFoundError(), Exit.REFUSED, "TASK_NOT_FOUND"),
        (UnauthenticatedError(), Exit.REFUSED, "UNAUTHENTICATED"),
        (TaskFailedError(make_task(TaskState.FAILED)), Exit.FAILED, "FAILED"),
        (InputRequiredError(make_task(TaskState.INPUT_REQUIRED)), Exit.WAITING, "WAITING"),
        (CommandError("no"), Exit.USAGE, "USAGE"),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(error, code, reason):
    failure = explain(error)
    assert failure.exit is code
    assert failure.to_json()["error"]["reason"] == reason


def test_a_refusal_names_every_member_that_is_wrong(capsys):
    violations = (FieldViolation(field="message.parts", description="is required and missing"),)
    assert report(InvalidParamsError(violations=violations), Output(as_json=True)) is Exit.REFUSED
    captured = capsys.readouterr()
    assert "  message.parts: is required and missing\n" in captured.err
    assert '"fieldViolations":[{"field":"message.parts"' in captured.out


def test_content_is_told_as_it_comes_and_each_artifact_begins_a_line(capsys):
    teller = Teller(Output())
    for event in (
        make_chunk("1", Part.of_text("one ")),
        make_chunk("1", Part.of_text("two")),
        make_chunk("1", Part.of_data({"a": 1})),
        make_chunk("2", Part.of_text("three")),
    ):
        teller.tell(event)
    assert teller.finish(make_task(TaskState.COMPLETED)) is Exit.OK
    assert capsys.readouterr().out == 'one two\n{"a":1}\nthree\n'


def test_what_was_told_before_is_not_told_again(capsys):
    old, new = (Artifact(artifact_id=name, parts=(Part.of_text(name),)) for name in ("old", "new"))
    teller = Teller(Output(), make_task(TaskState.INPUT_REQUIRED, old))
    teller.tell(make_task(TaskState.COMPLETED, old, new))
    teller.finish(make_task(TaskState.COMPLETED, old, new))
    assert capsys.readouterr().out == "new\n"


def test_the_words_of_a_completed_task_are_its_answer_if_there_is_no_other(capsys):
    Teller(Output()).finish(make_task(TaskState.COMPLETED, words="as you wish"))
    assert capsys.readouterr().out == "as you wish\n"


@pytest.mark.parametrize(
    "state, code",
    [
        (TaskState.FAILED, Exit.FAILED),
        (TaskState.CANCELED, Exit.FAILED),
        (TaskState.REJECTED, Exit.FAILED),
        (TaskState.AUTH_REQUIRED, Exit.WAITING),
    ],
)
def test_how_a_task_ended_is_the_exit_code(capsys, state, code):
    assert Teller(Output()).finish(make_task(state, words="because")) is code
    captured = capsys.readouterr()
    assert "because" in captured.out + captured.err


def test_every_state_has_a_name():
    assert len({name_state(state) for state in TaskState}) == len(TaskState)


def test_progress_is_told_with_its_percentage(monkeypatch):
    terminal = watch(monkeypatch)
    message = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("searching"),))
    status = TaskStatus(state=TaskState.WORKING, message=message)
    event = TaskStatusUpdateEvent(task_id="t", context_id="c", status=status, metadata={"progress": 0.5})
    Teller(Output()).tell(event)
    assert terminal.getvalue() == "50% searching"


@pytest.mark.parametrize(
    "part, text",
    [
        (Part.of_text("hi"), "hi"),
        (Part.of_data(None), "null"),
        (Part.of_url("https://x/y", filename="y.pdf"), "y.pdf https://x/y"),
        (
            Part.of_bytes(b"x" * 1500, filename="a.bin", media_type="image/png"),
            "[file a.bin image/png 1.5 kB]",
        ),
    ],
)
def test_every_kind_of_part_can_be_shown(part, text):
    assert show_part(part) == text


def test_parts_that_are_not_text_have_a_line_of_their_own():
    parts = (Part.of_text("a"), Part.of_text("b"), Part.of_data(1), Part.of_data(2), Part.of_text("c"))
    assert show_artifact(parts) == "ab\n1\n2\nc"


def test_the_texts_of_a_message_have_each_a_line_of_their_own():
    """A question and its options are parts of one message, those of an artifact are chunks of one text."""
    parts = (Part.of_text("What pace would you like?"), Part.of_text("1. slow\n"), Part.of_text("2. fast"))
    assert show_message(parts) == "What pace would you like?\n1. slow\n2. fast"


@pytest.mark.parametrize(
    "count, text", [(0, "0 bytes"), (999, "999 bytes"), (2_500_000, "2.5 MB"), (3 * 10**9, "3 GB")]
)
def test_sizes_are_shown_in_a_few_characters(count, text):
    assert show_size(count) == text
