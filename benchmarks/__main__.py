"""`python -m benchmarks [NAME ...]`: measure, print ratios, write the results, the table and the plots."""

import argparse
import gc
import json
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.contestants import ALL, BY_NAME
from benchmarks.contestants.environments import ROOT, prepare
from benchmarks.measuring.machine import describe
from benchmarks.report.goals import check_goals
from benchmarks.report.page import write_page
from benchmarks.report.plots import draw
from benchmarks.report.table import show
from benchmarks.workloads import SUITES, Plan, run

RESULTS = ROOT / "benchmarks" / "results" / "latest.json"


def read_options() -> argparse.Namespace:
    listing = "\n".join(f"  {name:<10} {suite.words}" for name, suite in SUITES.items())
    parser = argparse.ArgumentParser(
        prog="make bench ARGS=...",
        description=f"Measure Dragoman beside its peers. The measurements:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="which ones; all without")
    parser.add_argument("--rounds", type=int, default=3, help="turns of every contestant (3)")
    parser.add_argument("--quick", action="store_true", help="short turns, rough figures")
    parser.add_argument("--only", metavar="NAMES", help=f"contestants, with commas: {', '.join(BY_NAME)}")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    parser.add_argument(
        "--again", action="store_true", help="measure nothing: show, write and draw the last results again"
    )
    options = parser.parse_args()
    if unknown := set(options.names) - SUITES.keys():
        parser.error(f"no measurement is called {', '.join(sorted(unknown))}; there are {', '.join(SUITES)}")
    if options.only and (unknown := set(options.only.split(",")) - BY_NAME.keys()):
        parser.error(f"no contestant is called {', '.join(sorted(unknown))}; there are {', '.join(BY_NAME)}")
    return options


def main() -> None:
    options = read_options()
    if options.again:
        publish(json.loads(RESULTS.read_text(encoding="utf-8")))
        return
    chosen = tuple(one for one in ALL if not options.only or one.name in options.only.split(","))
    groups = {one.group for one in chosen}
    prepare(groups | ({"bench-a2a-sdk"} if not options.only else set()))
    gc.freeze()
    plan = Plan(rounds=1 if options.quick else options.rounds, quick=options.quick, contestants=chosen)
    begun = time.monotonic()
    figures = run(plan, options.names or list(SUITES))
    results: dict[str, Any] = {
        "measured": describe(groups, plan.rounds, time.monotonic() - begun, quick=plan.quick),
        "figures": figures,
    }
    results["goals"] = check_goals(figures)
    print(show(results))
    save(results, options, whole=not options.names and not options.only and not options.quick)


def save(results: dict[str, Any], options: argparse.Namespace, *, whole: bool) -> None:
    """A whole run renews the results, the page and the plots; a part of one only prints, and writes where it is told to."""
    text = json.dumps(results, indent=1) + "\n"
    if options.json:
        options.json.write_text(text, encoding="utf-8")
    if not whole:
        print("a part of the measurements: the page and the plots stay as they are", file=sys.stderr)
        return
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(text, encoding="utf-8")
    write_page(results)
    draw(results)


def publish(results: dict[str, Any]) -> None:
    """Results as they were read: the goals are checked again, as they stand now."""
    results["goals"] = check_goals(results["figures"])
    print(show(results))
    write_page(results)
    draw(results)


if __name__ == "__main__":
    main()
