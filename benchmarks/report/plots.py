"""The plots in docs/assets, as SVG."""

import statistics
from collections.abc import Callable, Mapping
from typing import Any

from benchmarks.contestants.environments import ROOT
from benchmarks.report.goals import OFFICIAL, compare

ASSETS = ROOT / "docs" / "assets"
OURS, THEIRS, FLOOR = "#0b7285", "#adb5bd", "#e9c46a"


def pick_color(name: str) -> str:
    if name.startswith(("dragoman", "ours")):
        return OURS
    return FLOOR if name in ("bare", "starlette") else THEIRS


def draw(results: Mapping[str, Any]) -> None:
    """Draw what was measured; each plot is a file of its own."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams |= {
        "svg.hashsalt": "dragoman",  # the same figures make the same file
        "svg.fonttype": "none",
        "font.size": 11,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "figure.facecolor": "white",
    }
    ASSETS.mkdir(exist_ok=True)
    figures = results["figures"]
    plots: dict[str, tuple[str, Callable[[Any, Mapping[str, Any]], None]]] = {
        "throughput": ("requests", _draw_throughput),
        "latency": ("latency", _draw_latency),
        "growth": ("growth", _draw_growth),
    }
    for name, (needs, plot) in plots.items():
        if needs in figures:
            _save(name, plot, figures)


def _save(name: str, plot: Callable[[Any, Mapping[str, Any]], None], figures: Mapping[str, Any]) -> None:
    from matplotlib import pyplot

    figure = pyplot.figure(figsize=(9, 4.5), layout="constrained")
    plot(figure, figures)
    figure.savefig(ASSETS / f"bench-{name}.svg", metadata={"Date": None, "Creator": None})
    pyplot.close(figure)


def _draw_throughput(figure: Any, figures: Mapping[str, Any]) -> None:
    """Answers on the same CPU, as multiples of the official SDK's."""
    wanted = {"task": "send → task", "stream100": "stream of 100 chunks"}
    titles = {name: title for name, title in wanted.items() if OFFICIAL in figures["requests"].get(name, {})}
    if not titles:
        return
    rows = figure.subplots(1, len(titles), squeeze=False)[0]
    for axes, (workload, title) in zip(rows, titles.items(), strict=True):
        names = list(figures["requests"][workload])[::-1]
        values = [compare(figures, workload, name, OFFICIAL) for name in names]
        bars = axes.barh(names, values, color=[pick_color(name) for name in names])
        axes.bar_label(bars, [f"{value:.1f}×" for value in values], padding=3)
        axes.set_title(f"{title}: answers per CPU second, a2a-sdk = 1", fontsize=11)
        axes.margins(x=0.18)


def _draw_latency(figure: Any, figures: Mapping[str, Any]) -> None:
    """Percentiles at half of what each can do."""
    axes = figure.subplots()
    spots = ("p50", "p90", "p99", "p99.9")
    for name, rounds in figures["latency"]["half"].items():
        values = [statistics.median(one["latency_ms"][spot] for one in rounds) for spot in spots]
        ours = name.startswith("dragoman")
        style = "--" if name.endswith(("sqlite", "tuned", "traced")) else "-"
        axes.plot(
            spots,
            values,
            style,
            marker="o",
            color=pick_color(name),
            linewidth=2.5 if ours else 1.2,
            zorder=2 + ours,
        )
        axes.annotate(
            name, (spots[-1], values[-1]), xytext=(8, 0), textcoords="offset points", va="center", fontsize=9
        )
    _scale_plainly(axes)
    axes.set_ylabel("milliseconds")
    axes.margins(x=0.12)
    axes.set_title(
        "send → task at half of its own most, timed from when it was meant to be sent", fontsize=11
    )
    axes.grid(axis="y", alpha=0.3)


def _scale_plainly(axes: Any) -> None:
    """A logarithmic axis of at least two decades, with numbers as people write them."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    low, high = axes.dataLim.intervaly
    axes.set_yscale("log")
    middle = (low * high) ** 0.5
    axes.set_ylim(min(low / 1.5, middle / 10), max(high * 1.5, middle * 10))
    for axis in (axes.yaxis, axes.xaxis):
        if axis.get_scale() == "log":
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
            axis.set_minor_locator(NullLocator())


def _draw_growth(figure: Any, figures: Mapping[str, Any]) -> None:
    """Cost against size, both logarithmic: a straight line, and its slope is the exponent."""
    curves = figures["growth"]
    grid = figure.subplots(2, 3)
    figure.set_size_inches(10, 6)
    for axes, (curve, by_name) in zip(grid.flat, curves.items(), strict=False):
        for name, points in by_name.items():
            sizes = [int(size) for size in points]
            style = "--" if name.endswith("sqlite") else "-"
            axes.plot(sizes, list(points.values()), style, marker="o", color=OURS, label=name)
        axes.set_xscale("log")
        _scale_plainly(axes)
        axes.set_title(curve, fontsize=10)
        axes.grid(alpha=0.3)
    for axes in grid.flat[len(curves) :]:
        axes.axis("off")
    grid.flat[0].legend(fontsize=9)
    for axes in grid[:, 0]:
        axes.set_ylabel("µs of CPU")
