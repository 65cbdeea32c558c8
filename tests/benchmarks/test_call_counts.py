"""The central calls cost what was recorded: call counts, which noise does not change."""

import json

import pytest

from benchmarks.guard.calls import count_all
from benchmarks.guard.record import RECORD, compare, load, name_version

RECORDED = {"send": {"calls": 100.0, "tasks": 1.0}}


@pytest.mark.slow
def test_the_central_calls_make_as_many_calls_as_recorded(tmp_path):
    recorded, tolerance = load(RECORD.read_text(encoding="utf-8"), name_version())
    for attempt in ("first", "second"):  # what has grown has grown again
        folder = tmp_path / attempt
        folder.mkdir()
        if not (problems := compare(count_all(folder), recorded, tolerance)):
            return
    pytest.fail("; ".join(problems) + " (if it is meant, record it: make counts)")


def test_a_growth_beyond_the_tolerance_is_a_problem():
    found = {"send": {"calls": 104.0, "tasks": 1.0}}
    assert compare(found, RECORDED, 0.03) == ["send: 104 calls, recorded are 100"]


def test_a_count_that_shrank_is_told_so_that_the_record_stays_tight():
    assert compare({"send": {"calls": 80.0, "tasks": 1.0}}, RECORDED, 0.03)


def test_a_second_task_in_a_call_is_a_problem():
    assert compare({"send": {"calls": 100.0, "tasks": 2.0}}, RECORDED, 0.03)


def test_a_call_that_is_no_longer_counted_is_a_problem():
    assert compare({}, RECORDED, 0.03)


def test_noise_within_the_tolerance_is_none():
    assert compare({"send": {"calls": 102.0, "tasks": 1.1}}, RECORDED, 0.03) == []


def test_a_version_without_a_record_is_held_against_its_neighbour_with_more_patience():
    text = json.dumps({"3.11": RECORDED, "3.13": {}})
    assert load(text, "3.11")[1] < load(text, "3.10")[1]
    assert load(text, "3.10")[0] == RECORDED
    assert load(text, "3.14")[0] == {}
