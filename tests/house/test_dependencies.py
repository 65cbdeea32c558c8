"""What we depend on is decided in writing, and what is optional stays optional."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.house.source import ROOT, SOURCE, Function, list_source_files, load_settings, parse, show

# What a module of an extra is called when that is not the distribution's name with underscores.
MODULES = {
    "googleapis_common_protos": {"google"},
    "grpcio": {"grpc"},
    "grpcio_health_checking": {"grpc_health"},
    "grpcio_reflection": {"grpc_reflection"},
    "protobuf": {"google"},
    "opentelemetry_api": {"opentelemetry"},
    "opentelemetry_sdk": {"opentelemetry"},
}

# Files that exist only for one extra and are themselves imported late, "file": why.
ADAPTERS: dict[str, str] = dict.fromkeys(
    (
        "src/dragoman/client/transport/grpc.py",
        "src/dragoman/client/transport/grpc_errors.py",
        "src/dragoman/server/grpc/endpoint.py",
        "src/dragoman/server/grpc/refusing.py",
        "src/dragoman/server/grpc/service.py",
        "src/dragoman/wire/grpc/codec.py",
        "src/dragoman/wire/grpc/errors.py",
        "src/dragoman/wire/grpc/plain.py",
        "src/dragoman/wire/grpc/schema.py",
    ),
    "the gRPC binding, loaded when a card or an operator asks for it",
)


def get_name(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found, requirement
    return found[0].lower()


def list_requirements(settings: dict[str, Any]) -> Iterator[str]:
    yield from settings["build-system"]["requires"]
    yield from settings["project"]["dependencies"]
    for extra in settings["project"]["optional-dependencies"].values():
        yield from extra
    for group in settings["dependency-groups"].values():
        yield from (entry for entry in group if isinstance(entry, str))


def list_optional_modules() -> set[str]:
    extras = load_settings()["project"]["optional-dependencies"].values()
    names = {get_name(requirement).replace("-", "_") for extra in extras for requirement in extra}
    return {module for name in names for module in MODULES.get(name, {name})}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def walk_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what runs when a module is imported."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, Function | ast.Lambda) or is_type_checking(child):
            continue
        yield child
        yield from walk_import_time(child)


def list_imported(path: Path) -> set[str]:
    roots: set[str] = set()
    for node in walk_import_time(parse(path)):
        if isinstance(node, ast.Import):
            roots |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            roots.add(node.module.partition(".")[0])
    return roots


def test_every_dependency_is_named_in_a_decision():
    decisions = "\n".join(
        page.read_text(encoding="utf-8").lower() for page in (ROOT / "docs/decisions").glob("*.md")
    )
    names = {get_name(requirement) for requirement in list_requirements(load_settings())}
    assert {name for name in names if f"`{name}`" not in decisions} == set()


def test_optional_libraries_are_not_imported_at_module_level():
    optional = list_optional_modules()
    found = {show(path): names for path in list_source_files() if (names := list_imported(path) & optional)}
    assert {path: names for path, names in found.items() if path not in ADAPTERS} == {}
    assert set(ADAPTERS) <= set(found)


def test_the_package_tells_type_checkers_that_it_is_typed():
    assert (SOURCE / "py.typed").is_file()


def test_changelog_fragments_have_a_name_that_the_changelog_understands():
    types = "|".join(entry["directory"] for entry in load_settings()["tool"]["towncrier"]["type"])
    names = [path.name for path in (ROOT / "changes").iterdir() if path.name != "README.md"]
    assert [name for name in names if not re.fullmatch(rf"(\d+|\+[\w-]+)\.({types})(\.\d+)?\.md", name)] == []
