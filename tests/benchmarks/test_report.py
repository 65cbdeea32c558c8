import pytest

from benchmarks.report.goals import check_goals, compare
from benchmarks.report.page import BEGIN, END, replace_between
from benchmarks.report.rows import number
from benchmarks.report.table import show, write_markdown


def make_round(cpu_us):
    return {"cpu_us": cpu_us, "per_second": 1e6 / cpu_us, "latency_ms": {"p50": 1.0, "p99": 3.0}}


def make_results():
    found = {
        "bare": [make_round(40), make_round(80)],
        "dragoman": [make_round(100), make_round(200)],
        "a2a-sdk": [make_round(1500), make_round(3000)],
    }
    figures = {"requests": {"task": found}}
    return {"figures": figures, "goals": check_goals(figures)}


def test_a_ratio_is_of_answers_on_the_same_cpu():
    assert compare(make_results()["figures"], "task", "dragoman", "a2a-sdk") == 15
    assert compare(make_results()["figures"], "task", "dragoman", "bare") == pytest.approx(0.4)


def test_goals_are_met_or_missed_and_what_was_not_measured_is_left_out():
    goals = {one["goal"]: one["met"] for one in make_results()["goals"]}
    assert goals == {
        "send → task in memory, to a2a-sdk": True,
        "send → task in memory, to the bare floor": False,
    }


def test_tables_say_ratios_first():
    text = write_markdown(make_results())
    assert "| send → task in memory, to a2a-sdk | ≥ 14× | 15.0× | met |" in text
    assert "| dragoman | 15.0 | 0.40 | 150 (100–200) | 7,500 | 1.00 / 3.00 |" in text


def test_the_terminal_shows_the_same():
    assert "dragoman  15.0       0.40     150 (100–200)" in show(make_results())


@pytest.mark.parametrize("value, words", [(1234.5, "1,234"), (12.34, "12.3"), (0.5, "0.50"), (None, "–")])
def test_numbers_have_three_figures(value, words):
    assert number(value) == words


def test_only_what_is_between_the_markers_is_replaced():
    page = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert replace_between(page, "new") == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter"


def test_a_page_without_markers_is_not_written():
    with pytest.raises(ValueError, match="needs the lines"):
        replace_between("nothing", "new")
