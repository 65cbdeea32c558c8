"""What is generated is what its source says now."""

import pytest

from tests.house.source import show
from tools.protos import compile_proto, describe, list_protos


@pytest.mark.parametrize("source, target", list(list_protos()), ids=lambda path: path.name)
def test_a_compiled_schema_is_current(source, target):
    is_current = describe(target.read_bytes()) == describe(compile_proto(source))
    assert is_current, f"{show(target)} is not what {source.name} says; run `make proto`"
