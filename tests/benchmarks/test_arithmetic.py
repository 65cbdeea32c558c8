import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.measuring.arithmetic import (
    compute_latencies,
    compute_ratio,
    find_percentile,
    fit_exponent,
    plan_sends,
    summarize,
)

VALUES = st.lists(st.floats(0, 1e6), min_size=1)


@pytest.mark.parametrize("percent, expected", [(50, 50), (90, 90), (99, 99), (99.9, 100), (100, 100), (0, 1)])
def test_a_percentile_is_the_value_at_its_rank(percent, expected):
    assert find_percentile(list(range(100, 0, -1)), percent) == expected


@given(VALUES, st.floats(0, 100))
def test_a_percentile_is_one_of_the_values_and_enough_do_not_exceed_it(values, percent):
    found = find_percentile(values, percent)
    assert found in values
    assert sum(value <= found for value in values) >= percent / 100 * len(values) - 1e-6


def test_no_values_have_no_percentile():
    with pytest.raises(ValueError, match="no values"):
        find_percentile([], 50)


def test_sends_are_meant_to_go_at_even_distances():
    assert plan_sends(10.0, rate=4, seconds=1) == [10.0, 10.25, 10.5, 10.75]


def test_a_stall_is_charged_to_all_who_meant_to_send_meanwhile():
    """A server that answers at once but stops for a second: timed from the actual send, only one call would be slow."""
    intended = plan_sends(0.0, rate=10, seconds=2)
    finished = [max(when, 1.0) for when in intended]
    latencies = compute_latencies(intended, finished)
    assert sum(latency > 0.05 for latency in latencies) == 10
    assert find_percentile(latencies, 50) == pytest.approx(0.0)
    assert find_percentile(latencies, 90) == pytest.approx(0.8)


def test_latencies_need_an_end_for_each_beginning():
    with pytest.raises(ValueError, match="shorter"):
        compute_latencies([1.0, 2.0], [1.5])


def test_a_spread_is_the_median_and_the_ends():
    spread = summarize([3.0, 1.0, 2.0])
    assert (spread.median, spread.low, spread.high, spread.rounds) == (2.0, 1.0, 3.0, 3)


def test_a_ratio_compares_within_each_round():
    """The machine was half as fast in the second round, for both."""
    assert compute_ratio([100.0, 50.0, 100.0], [10.0, 5.0, 10.0]) == summarize([10.0, 10.0, 10.0])


@given(st.floats(0.1, 1e3), st.floats(-1, 3))
def test_the_exponent_of_a_power_is_found(factor, power):
    points = {size: factor * size**power for size in (10.0, 100.0, 1000.0)}
    assert fit_exponent(points) == pytest.approx(power, abs=1e-6)


def test_a_fixed_cost_beside_a_linear_one_grows_less_than_linearly():
    assert 0 < fit_exponent({size: 1000 + size for size in (10.0, 100.0, 1000.0)}) < 1
