"""`python -m benchmarks.guard`: count, and record it for this version of Python."""

import json
import tempfile
from pathlib import Path

from benchmarks.guard.calls import count_all
from benchmarks.guard.record import RECORD, name_version


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        found = count_all(Path(folder))
    records = json.loads(RECORD.read_text(encoding="utf-8")) if RECORD.exists() else {}
    records[name_version()] = found
    RECORD.write_text(json.dumps(records, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    for call, counts in found.items():
        print(f"{call:<24}", ", ".join(f"{value:g} {kind}" for kind, value in counts.items()))


if __name__ == "__main__":
    main()
