"""Size budgets: small bodies matter more than small files, and both have a limit."""

import ast

from tests.house.source import Function, list_source_files, parse, show, walk_functions

MAX_FILE_LINES = 400
MAX_BODY_LINES = 50
LONG_BODY_LINES = 35
MAX_POSITIONAL = 5

# Bodies of 36 to 50 lines, "file::qualified name": why they read better in one piece.
LONG_BODIES: dict[str, str] = {
    "src/dragoman/agent/agent.py::Agent.__init__": "keeps what the author has said, a line for each",
    "src/dragoman/engine/engine.py::Engine.__init__": "puts the engine together, a line for each part",
}

NAMELESS = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "legacy", "v2"}


def count_body_lines(function: Function) -> int:
    first, *others = function.body
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    if is_docstring and others:
        first = others[0]
    return (function.end_lineno or 0) - first.lineno + 1


def count_positional(function: Function, is_method: bool) -> int:
    names = [argument.arg for argument in (*function.args.posonlyargs, *function.args.args)]
    return len(names) - (is_method and names[:1] in (["self"], ["cls"]))


def measure_bodies() -> dict[str, int]:
    return {
        f"{show(path)}::{name}": count_body_lines(function)
        for path in list_source_files()
        for name, function, _ in walk_functions(parse(path))
    }


def test_no_file_is_longer_than_its_budget():
    sizes = {show(path): len(path.read_text(encoding="utf-8").splitlines()) for path in list_source_files()}
    assert {name: size for name, size in sizes.items() if size > MAX_FILE_LINES} == {}


def test_no_function_body_is_longer_than_the_limit():
    assert {name: size for name, size in measure_bodies().items() if size > MAX_BODY_LINES} == {}


def test_long_bodies_are_listed_with_a_reason_and_the_list_has_no_others():
    long = {name for name, size in measure_bodies().items() if size > LONG_BODY_LINES}
    assert long == set(LONG_BODIES)
    assert all(LONG_BODIES.values())


def test_functions_take_at_most_five_positional_parameters():
    counts = {
        f"{show(path)}::{name}": count_positional(function, is_method)
        for path in list_source_files()
        for name, function, is_method in walk_functions(parse(path))
    }
    assert {name: count for name, count in counts.items() if count > MAX_POSITIONAL} == {}


def test_files_are_named_for_what_they_hold():
    names = {show(path): f"{path.parent.name}_{path.stem}" for path in list_source_files()}
    assert [path for path, name in names.items() if NAMELESS & set(name.split("_"))] == []
