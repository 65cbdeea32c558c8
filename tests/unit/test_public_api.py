"""The public API, pinned: it changes when somebody means it (`make api`), and the diff shows in review."""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path

import griffe
import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAPSHOT = Path(__file__).with_name("public_api.txt")

Member = griffe.Object | griffe.Alias


def resolve(member: Member) -> Member:
    """Follow a re-export to what it names, unless that belongs to another library."""
    if isinstance(member, griffe.Alias) and member.target_path.startswith("dragoman."):
        return member.final_target
    return member


def list_names(owner: Member) -> list[str]:
    """List what `__all__` says, or else what is defined here: an import alone publishes nothing."""
    if owner.is_class:
        return list(owner.all_members)
    if owner.exports is not None:
        return [str(name) for name in owner.exports]
    return [name for name, member in owner.members.items() if not member.is_alias]


def list_public(owner: Member) -> list[tuple[str, Member]]:
    members = owner.all_members if owner.is_class else owner.members
    names = sorted(name for name in list_names(owner) if not name.startswith("_") and name in members)
    return [(name, members[name]) for name in names]


def render(name: str, member: Member, indent: str = "") -> Iterator[str]:
    target = resolve(member)
    if isinstance(target, griffe.Alias):
        yield f"{indent}{name}: from {target.target_path}"
    elif isinstance(target, griffe.Class):
        yield from render_class(name, target, indent)
    elif isinstance(target, griffe.Function):
        marks = "".join(
            f"{mark} " for mark in ("classmethod", "staticmethod", "async") if mark in target.labels
        )
        yield f"{indent}{marks}def {target.signature(name=name)}"
    elif isinstance(target, griffe.Attribute):
        yield f"{indent}{name}{render_value(target)}"


def render_value(attribute: griffe.Attribute) -> str:
    """Show the type; the value too where it is a default, or where there is nothing else to show."""
    is_field = attribute.parent is not None and attribute.parent.is_class
    annotation = "" if attribute.annotation is None else f": {attribute.annotation}"
    has_value = attribute.value is not None and (is_field or not annotation)
    return f"{annotation} = {attribute.value}" if has_value else annotation


def render_class(name: str, cls: griffe.Class, indent: str) -> Iterator[str]:
    bases = ", ".join(str(base) for base in cls.bases)
    yield f"{indent}class {name}({bases})"
    if isinstance(init := cls.all_members.get("__init__"), griffe.Function):
        yield f"{indent}    def {init.signature(name='__init__')}"
    for inner, member in list_public(cls):
        yield from render(inner, member, f"{indent}    ")


def render_package(package: griffe.Module) -> Iterator[str]:
    """Describe what is defined in the package; what it shows of another one is only named."""
    yield f"# {package.path}"
    for name, member in list_public(package):
        home = ".".join(resolve(member).path.split(".")[:2])
        yield from (
            render(name, member) if home == package.path or "." in package.path else [f"{name}: see {home}"]
        )
    yield ""


def list_packages(root: griffe.Module) -> Iterator[griffe.Module]:
    yield root
    for name, member in sorted(root.modules.items()):
        if member.is_init_module and not name.startswith("_"):
            yield member


def describe_api() -> str:
    root = griffe.load("dragoman", search_paths=[ROOT / "src"], resolve_aliases=True, resolve_external=False)
    assert isinstance(root, griffe.Module)
    return "\n".join(line for package in list_packages(root) for line in render_package(package))


def test_the_public_api_is_the_one_in_the_snapshot():
    found = describe_api()
    if os.environ.get("DRAGOMAN_ACCEPT_API"):
        SNAPSHOT.write_text(found, encoding="utf-8")
    accepted = SNAPSHOT.read_text(encoding="utf-8") if SNAPSHOT.exists() else ""
    diff = difflib.unified_diff(
        accepted.splitlines(), found.splitlines(), "accepted", "found", n=2, lineterm=""
    )
    if changes := "\n".join(diff):
        pytest.fail(f"the public API changed; if that is meant, run `make api`\n{changes}", pytrace=False)
