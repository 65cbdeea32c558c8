"""Agent cards as `a2a.v1` prints them: their security is wrapped, as in 1.0, and not flat, as in the JSON of 0.3 (SPEC 7.3, 7.5)."""

from collections.abc import Mapping

from dragoman.model import JSON, AgentCard, Generation
from dragoman.wire.dialects.cards import dump_card
from dragoman.wire.dialects.members import copy, to_json
from dragoman.wire.dialects.security import write_requirements, write_scheme

_FLOWS = ("authorizationCode", "clientCredentials", "implicit", "password")
_FLOW_MEMBERS = ("authorizationUrl", "tokenUrl", "refreshUrl", "scopes")
_WRAPPERS: Mapping[str, tuple[str, ...]] = {
    "apiKeySecurityScheme": ("description", "location", "name"),
    "httpAuthSecurityScheme": ("description", "scheme", "bearerFormat"),
    "oauth2SecurityScheme": ("description", "oauth2MetadataUrl"),
    "openIdConnectSecurityScheme": ("description", "openIdConnectUrl"),
    "mtlsSecurityScheme": ("description",),
}


def write_proto_card(card: AgentCard) -> dict[str, JSON]:
    """The card in proto JSON. A flow that the proto does not know is left out of its scheme."""
    value = to_json(card)
    written = dump_card(card, Generation.V0_3)
    written.pop("authentication", None)  # 0.1's
    if "securitySchemes" in value:
        schemes = value["securitySchemes"].items()
        written["securitySchemes"] = {name: _write_scheme(scheme) for name, scheme in schemes}
    for holder, old in (
        (value, written),
        *zip(value.get("skills", ()), written["skills"], strict=True),
    ):
        if "security" in old:
            old["security"] = [copy(entry, "schemes") for entry in holder["securityRequirements"]]
    return written


def _write_scheme(scheme: Mapping[str, JSON]) -> dict[str, JSON]:
    wrapper, detail = next(iter(scheme.items()))
    written = copy(detail, *_WRAPPERS[wrapper])
    if wrapper == "oauth2SecurityScheme":
        flows = copy(detail.get("flows", {}), *_FLOWS)
        written["flows"] = {name: copy(flow, *_FLOW_MEMBERS) for name, flow in flows.items()}
    return {wrapper: written}


def read_proto_card(card: dict[str, JSON]) -> dict[str, JSON]:
    """A card in proto JSON as the JSON of 0.3 has it, with the members that a message leaves out because they are empty."""
    read: dict[str, JSON] = {"capabilities": {}, "skills": [], **card}
    schemes: dict[str, JSON] = card.get("securitySchemes", {})
    if schemes:
        read["securitySchemes"] = {name: _read_scheme(scheme) for name, scheme in schemes.items()}
    if "security" in card:
        read["security"] = write_requirements(card["security"])
    read["skills"] = [_read_skill(skill) for skill in read["skills"]]
    return read


def _read_scheme(scheme: dict[str, JSON]) -> JSON:
    for wrapper, detail in scheme.items():
        defaults: dict[str, JSON] = {"location": "", "flows": {}}
        return write_scheme({wrapper: defaults | detail})
    return scheme


def _read_skill(skill: dict[str, JSON]) -> dict[str, JSON]:
    return skill | {"security": write_requirements(skill["security"])} if "security" in skill else skill
