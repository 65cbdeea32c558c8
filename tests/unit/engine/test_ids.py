"""Ids that nobody can guess, and that lie in the order in which they were made."""

import os
import subprocess
import sys
import time
from uuid import RFC_4122, UUID

import pytest

from dragoman.engine.ids import new_uuid


def test_an_id_is_a_uuid_of_version_7():
    before = time.time_ns() // 1_000_000
    text = new_uuid()
    after = time.time_ns() // 1_000_000
    made = UUID(text)
    assert str(made) == text
    assert (made.version, made.variant) == (7, RFC_4122)
    assert before <= made.int >> 80 <= after


def test_ids_of_one_millisecond_have_nothing_else_in_common():
    ids = [UUID(new_uuid()).int for _ in range(10_000)]
    tails = {one & (1 << 62) - 1 for one in ids} | {one >> 64 & 0xFFF for one in ids}
    assert len(tails) > 12_000
    assert all(any(one >> bit & 1 for one in ids) for bit in range(62))


def test_ids_sort_by_the_time_at_which_they_were_made(monkeypatch):
    moments = [1_000_000 * millis for millis in (1, 2, 255, 256, 1 << 30, 1 << 40, (1 << 48) - 1)]
    times = iter(moments)
    monkeypatch.setattr("dragoman.engine.ids.time.time_ns", lambda: next(times))
    ids = [new_uuid() for _ in moments]
    assert ids == sorted(ids)


FORK = """
import os
from dragoman.engine.ids import new_uuid
new_uuid()
if child := os.fork():
    os.waitpid(child, 0)
print(new_uuid()[14:])
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")
def test_a_process_and_its_fork_do_not_give_out_the_same():
    shown = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True).stdout
    first, second = shown.split()
    assert first != second
