"""`make profile ARGS=send`: sample it under load, write a flame graph, print the hottest of our functions."""

import argparse
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contestants import BY_NAME
from benchmarks.contestants.environments import ROOT
from benchmarks.load.orders import CONNECTIONS, load
from benchmarks.measuring.processes import serve
from benchmarks.profile.flame import draw
from benchmarks.profile.stacks import grow, parse, rank

ASSETS = ROOT / "docs" / "assets"
SECONDS = 8
SAMPLES_PER_SECOND = 250
SERVERS = {
    "send": ("dragoman", "task"),
    "send-sqlite": ("dragoman-sqlite", "task"),
    "stream": ("dragoman", "stream100"),
    "card": ("dragoman", "card"),
}
WORDS = {
    "send": "send → task in memory, over HTTP",
    "send-sqlite": "send → task on SQLite, over HTTP",
    "stream": "stream of 100 chunks in memory, over HTTP",
    "card": "GET of the card",
    "client": "our client's send, to the bare floor",
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="make profile ARGS=...", description=__doc__)
    parser.add_argument("name", choices=WORDS)
    parser.add_argument("--seconds", type=int, default=SECONDS)
    parser.add_argument("--label", default="", help="goes into the file's name, such as `before`")
    options = parser.parse_args()
    busy = call_as_client(options.seconds) if options.name == "client" else load_server(options)
    with busy as pid:
        text = sample(pid, options.seconds)
    stacks = list(parse(text))
    label = f"-{options.label}" if options.label else ""
    path = ASSETS / f"flame-{options.name}{label}.svg"
    path.write_text(draw(grow(stacks), WORDS[options.name]), encoding="utf-8")
    print(f"{WORDS[options.name]}: {sum(samples for _, samples in stacks)} samples, {path.relative_to(ROOT)}")
    print("  itself  whole   function (itself: with the libraries and the C code that it calls)")
    for hot in rank(stacks):
        print(f"  {hot.itself:5.1f} %  {hot.whole:5.1f} %  {hot.name}")


@contextmanager
def load_server(options: argparse.Namespace) -> Iterator[int]:
    """A server under load: its process id."""
    name, workload = SERVERS[options.name]
    order = {"workload": workload, "connections": CONNECTIONS, "warm_up": 0.5, "seconds": options.seconds + 3}
    with serve(BY_NAME[name]) as server:
        worker = threading.Thread(target=load, args=(server, "steady"), kwargs=order)
        worker.start()
        try:
            yield server.pid
        finally:
            worker.join()


@contextmanager
def call_as_client(seconds: int) -> Iterator[int]:
    """Our client, calling the bare floor: its process id."""
    with serve(BY_NAME["bare"]) as server:
        url = f"http://127.0.0.1:{server.port}"
        command = [sys.executable, "-m", "benchmarks.clients.ours", url, str(seconds + 3)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL) as process:
            yield process.pid


def sample(pid: int, seconds: int) -> str:
    """Folded stacks of a process, by functions rather than lines."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "stacks.txt"
        command = [str(Path(sys.executable).parent / "py-spy"), "record", "--pid", str(pid)]
        command += ["--duration", str(seconds), "--rate", str(SAMPLES_PER_SECOND), "--format", "raw"]
        command += ["--function", "--full-filenames", "--output", str(output)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if not output.exists():
            sys.exit(f"py-spy could not sample; on macOS it must run as root:\n{done.stderr[-800:]}")
        return output.read_text(encoding="utf-8")


if __name__ == "__main__":
    main()
