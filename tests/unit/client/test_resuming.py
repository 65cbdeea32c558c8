"""Which events of a resumed stream its reader has had already."""

from dragoman.client.resuming import Cursor
from dragoman.model import TaskState
from tests.unit.client.scripted import chunk, status, task

WORKING = task(TaskState.WORKING)


def replay(first, second):
    """What passes of `second` after `first` was read and the connection cut."""
    cursor = Cursor()
    for number, event in first:
        assert not cursor.is_repeat(number, event)
    cursor.reconnect()
    return [event for number, event in second if not cursor.is_repeat(number, event)]


def test_events_that_were_read_are_repeats():
    read = [("1", WORKING), ("2", chunk("a")), ("3", chunk("b"))]
    assert replay(read, [("2", chunk("a")), ("3", chunk("b")), ("4", chunk("c"))]) == [chunk("c")]


def test_a_snapshot_covers_what_it_counts():
    again = [("4", WORKING), ("4", chunk("no id of its own")), ("5", chunk("c"))]
    assert replay([("2", WORKING), ("3", chunk("a"))], again) == [event for _, event in again]


def test_a_replay_behind_the_snapshot_is_a_repeat():
    again = [("4", WORKING), ("3", chunk("a")), ("5", chunk("c"))]
    assert replay([("2", WORKING)], again) == [WORKING, chunk("c")]


def test_numbers_that_start_anew_are_not_trusted():
    again = [("1", WORKING), ("2", chunk("c")), ("3", status(TaskState.COMPLETED))]
    assert replay([("1", WORKING), ("2", chunk("a")), ("3", chunk("b"))], again) == [
        event for _, event in again
    ]


def test_without_numbers_everything_passes():
    again = [("", WORKING), ("", chunk("a"))]
    assert replay([("", WORKING), ("", chunk("a"))], again) == [WORKING, chunk("a")]


def test_ids_that_are_not_numbers_are_left_alone():
    again = [("x", WORKING), ("y", chunk("a"))]
    assert replay([("x", WORKING), ("y", chunk("a"))], again) == [WORKING, chunk("a")]
