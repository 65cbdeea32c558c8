"""The arithmetic of the report: percentiles, spread, ratios, growth. Pure functions, tested beside the project's other tests."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


def find_percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least `percent` of all values do not exceed (nearest rank)."""
    if not values:
        raise ValueError("no values, no percentile")
    ordered = sorted(values)
    return ordered[max(math.ceil(percent / 100 * len(ordered)), 1) - 1]


def plan_sends(start: float, rate: float, seconds: float) -> list[float]:
    """When each request of a fixed rate is meant to be sent."""
    return [start + number / rate for number in range(int(rate * seconds))]


def compute_latencies(intended: Sequence[float], finished: Sequence[float]) -> list[float]:
    """How long each caller waited since it meant to send, so that a server that stalls is charged for those in the queue too."""
    return [end - begin for begin, end in zip(intended, finished, strict=True)]


@dataclass(frozen=True, slots=True)
class Spread:
    """What several rounds found."""

    median: float
    low: float
    high: float
    rounds: int


def summarize(values: Sequence[float]) -> Spread:
    return Spread(statistics.median(values), min(values), max(values), len(values))


def compute_ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """The ratio of each round by itself, so that what slows the machine for a round cancels out; then their median."""
    return summarize([mine / other for mine, other in zip(ours, theirs, strict=False)])


def fit_exponent(points: Mapping[float, float]) -> float:
    """The power of n that a cost grows with, by least squares on logarithms: 0 is constant, 1 linear, 2 a square."""
    sizes = [math.log(size) for size in points]
    costs = [math.log(cost) for cost in points.values()]
    return statistics.linear_regression(sizes, costs).slope
