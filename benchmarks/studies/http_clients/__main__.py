"""Let them race, and print a line for each."""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys

from benchmarks.studies.http_clients.contestants import CONTESTANTS
from benchmarks.studies.http_clients.measuring import contest
from benchmarks.studies.http_clients.server import ROOT, serve
from benchmarks.studies.serving import make_environment


def main() -> None:
    args = _parse_arguments()
    if args.worker:
        work(args.names[0], args.worker, args.loop)
        return
    names = args.names or list(CONTESTANTS)
    runs = race(names, args.rounds, args.loop)
    base = {key: statistics.median(one[key] for one in runs[names[0]]) for key in runs[names[0]][0]}
    print(f"loop {args.loop}, {args.rounds} rounds; ratio to {names[0]} (median µs CPU, min-max)")
    for name, rounds in runs.items():
        cells = [cell(key, [one[key] for one in rounds], base[key]) for key in (base if rounds else ())]
        print(f"{name:15}", " | ".join(cells))


def _parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.studies.http_clients")
    parser.add_argument("names", nargs="*", default=list(CONTESTANTS))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--loop", default="asyncio")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    return parser.parse_args()


def work(name: str, base: str, loop: str) -> None:
    """One contestant in this process: print its figures."""
    factory = None
    if loop == "uvloop":
        import uvloop

        factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        print(json.dumps(runner.run(contest(name, base))))


def race(names: list[str], rounds: int, loop: str) -> dict[str, list[dict[str, float]]]:
    """The figures of every contestant, a list with one record for each round that went well."""
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with serve() as base:
        for _ in range(rounds):
            for name in names:
                command = [sys.executable, "-m", __package__, "--loop", loop, "--worker", base, name]
                done = subprocess.run(
                    command,
                    env=make_environment(str(ROOT)),
                    capture_output=True,
                    text=True,
                    timeout=120,
                    check=False,
                )
                if done.returncode:
                    print(name, "failed:", done.stderr[-600:], file=sys.stderr)
                else:
                    runs[name].append(json.loads(done.stdout))
    return runs


def cell(key: str, values: list[float], base: float) -> str:
    values = sorted(values)
    middle = statistics.median(values)
    if key.startswith("chunks"):
        return f"{key} {middle:.0f}"
    return f"{key} {middle / base:.2f}x ({middle:.0f}, {values[0]:.0f}-{values[-1]:.0f})"


if __name__ == "__main__":
    main()
