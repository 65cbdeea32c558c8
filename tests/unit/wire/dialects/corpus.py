"""The golden corpus, as tests read it."""

import json
from pathlib import Path
from typing import Any

from msgspec import Struct, convert

ROOT = Path(__file__).parents[3] / "corpus"


class Sample(Struct, frozen=True, kw_only=True):
    """One file of tests/corpus."""

    path: str
    origin: str
    what: str
    wire: Any
    operation: str = ""
    model: Any = None
    read: Any = None

    @property
    def dialect(self) -> str:
        return self.path.partition("/")[0].replace("-", " ")

    @property
    def is_written(self) -> bool:
        return self.model is not None


def load_corpus() -> list[Sample]:
    files = sorted(ROOT.rglob("*.json"))
    return [
        convert(
            json.loads(file.read_text(encoding="utf-8")) | {"path": file.relative_to(ROOT).as_posix()}, Sample
        )
        for file in files
    ]


CORPUS = load_corpus()
