"""Security schemes and requirements as cards before 1.0 have them, there and back (SPEC 4.6, 7.3)."""

from collections.abc import Iterator, Mapping
from itertools import product

from dragoman.model import JSON
from dragoman.wire.dialects.members import change_object, copy, put, refuse
from dragoman.wire.narrowing import is_array, is_object

MAX_ALTERNATIVES = 100
"""Flows that were one scheme multiply the alternatives of every requirement that names it."""

_FLOWS = ("authorizationCode", "clientCredentials", "implicit", "password")

_KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "apiKey": ("apiKeySecurityScheme", ("description", "name")),
    "http": ("httpAuthSecurityScheme", ("description", "scheme", "bearerFormat")),
    "oauth2": ("oauth2SecurityScheme", ("description", "oauth2MetadataUrl")),
    "openIdConnect": ("openIdConnectSecurityScheme", ("description", "openIdConnectUrl")),
    "mutualTLS": ("mtlsSecurityScheme", ("description",)),
}
_OLD_KINDS = {wrapper: (kind, members) for kind, (wrapper, members) in _KINDS.items()}


def write_scheme(scheme: Mapping[str, JSON]) -> dict[str, JSON]:
    """A flat scheme. A device code flow has no word here, so that its scheme has no flow."""
    wrapper, detail = next(iter(scheme.items()))
    kind, members = _OLD_KINDS[wrapper]
    written: dict[str, JSON] = {"type": kind, **copy(detail, *members)}
    if kind == "apiKey":
        written["in"] = detail["location"]
    elif kind == "oauth2":
        flows = {name: flow for name, flow in detail["flows"].items() if name in _FLOWS}
        written["flows"] = {name: _write_flow(flow) for name, flow in flows.items()}
    return written


def _write_flow(flow: Mapping[str, JSON]) -> dict[str, JSON]:
    written = copy(flow, "authorizationUrl", "tokenUrl", "refreshUrl")
    return written | {"scopes": flow.get("scopes", {})}


def write_requirements(requirements: list[dict[str, JSON]]) -> list[JSON]:
    """Alternatives of schemes with their scopes."""
    return [
        {name: scopes.get("list", []) for name, scopes in requirement.get("schemes", {}).items()}
        for requirement in requirements
    ]


class SchemeReader:
    """Reads the flat schemes of a card, and its requirements with them.

    1.0 has one OAuth flow per scheme, so that a scheme of several is read as several, and a requirement that names it as so many
    alternatives.
    """

    def __init__(self, schemes: JSON) -> None:
        self._names: dict[str, list[str]] = {}
        self.schemes: JSON = schemes
        if is_object(schemes):
            self.schemes = {name: entry for known in schemes.items() for name, entry in self._read(*known)}

    def _read(self, name: str, scheme: JSON) -> Iterator[tuple[str, JSON]]:
        place = f"securitySchemes.{name[:60]}"
        if not is_object(scheme):
            refuse(place, "must be an object")
        kind = scheme.get("type")
        if not isinstance(kind, str) or kind not in _KINDS:
            refuse(f"{place}.type", f"must be one of {', '.join(_KINDS)}")
        wrapper, members = _KINDS[kind]
        detail = copy(scheme, *members)
        if kind == "apiKey":
            put(detail, "location", scheme.get("in"))
        if kind != "oauth2":
            yield name, {wrapper: detail}
            return
        flows = scheme.get("flows")
        if not is_object(flows):
            refuse(f"{place}.flows", "is required and missing")
        yield from self._split(name, detail, flows)

    def _split(
        self, name: str, detail: dict[str, JSON], flows: dict[str, JSON]
    ) -> Iterator[tuple[str, JSON]]:
        known = [flow for flow in _FLOWS if is_object(flows.get(flow))]
        self._names[name] = [name if not index else f"{name}.{flow}" for index, flow in enumerate(known)]
        for flow, new_name in zip(known, self._names[name], strict=True):
            yield new_name, {"oauth2SecurityScheme": detail | {"flows": {flow: _read_flow(flows[flow])}}}

    def requirements(self, value: JSON, place: str) -> JSON:
        """The requirements in the shape of 1.0; InvalidParamsError if they are none."""
        if not is_array(value):
            return value
        read = [entry for requirement in value for entry in self._alternatives(requirement, place)]
        if len(read) > MAX_ALTERNATIVES:
            refuse(place, f"has more than {MAX_ALTERNATIVES} alternatives")
        return read

    def _alternatives(self, requirement: JSON, place: str) -> Iterator[JSON]:
        if not is_object(requirement):
            refuse(place, "must be an array of objects")
        choices = [self._names.get(name, [name]) for name in requirement]
        for count, chosen in enumerate(product(*choices)):
            if count > MAX_ALTERNATIVES:
                return
            scopes = zip(chosen, requirement.values(), strict=True)
            yield {"schemes": {name: {"list": entry} for name, entry in scopes}}


def _read_flow(flow: JSON) -> JSON:
    return change_object(
        flow, lambda value: copy(value, "authorizationUrl", "tokenUrl", "refreshUrl", "scopes")
    )
