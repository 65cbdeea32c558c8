"""How long to wait before something is tried again."""

from hypothesis import given, settings
from hypothesis import strategies as st

from dragoman.resilience import Backoff


def test_delays_double_up_to_the_maximum():
    policy = Backoff(attempts=6, initial_seconds=1, max_seconds=5)
    assert [policy.delay(attempt, draw=lambda: 1.0) for attempt in range(1, 7)] == [1, 2, 4, 5, 5, None]


def test_a_peer_may_ask_for_more_but_not_for_too_much():
    policy = Backoff(initial_seconds=1, patience_seconds=60)
    assert policy.delay(1, at_least=30, draw=lambda: 1.0) == 30
    assert policy.delay(1, at_least=61) is None


@settings(deadline=None)
@given(st.integers(1, 10**6), st.floats(0, 1))
def test_a_step_is_in_the_upper_half_and_never_overflows(attempt, drawn):
    step = Backoff(initial_seconds=0.5, max_seconds=8).step(attempt, draw=lambda: drawn)
    whole = min(8, 0.5 * 2 ** min(attempt - 1, 10))
    assert whole / 2 <= step <= whole
