"""Agent cards of every generation, and one document that all of them read (SPEC 4, 7.3, 7.7)."""

import re
from collections.abc import Mapping

from dragoman.model import (
    JSON,
    LATEST,
    AgentCard,
    AgentInterface,
    Binding,
    Generation,
    InvalidParamsError,
)
from dragoman.wire.codec import convert
from dragoman.wire.dialects.members import copy, drop_empty, pick, put, refuse, require_object, to_json
from dragoman.wire.dialects.security import SchemeReader, write_requirements, write_scheme
from dragoman.wire.narrowing import is_array, is_object

FULL_VERSIONS = {Generation.V0_3: "0.3.0", Generation.V0_2: "0.2.6", Generation.V0_1: "0.1.0"}
"""What `protocolVersion` says: it had a patch number before 1.0."""

DEFAULT_TRANSPORT = Binding.JSONRPC.value
DEFAULT_MODES = ["text/plain"]

_VERSION = re.compile(r"(\d{1,4})\.(\d{1,4})(?:\.\d{1,9})?(?:[-+.].{0,60})?", re.ASCII)
_SAME = ("name", "description", "version", "documentationUrl", "iconUrl", "provider")
_BY_VALUE = {generation.value: generation for generation in Generation}


def load_card(value: JSON) -> AgentCard:
    """A card of any generation; InvalidParamsError that names the members of one that cannot be read.

    A merged one is read as what it says to readers of 1.0. One that names no version, and has the `authentication` of 0.1, is of
    0.1; without it, of 0.2, whose JSON is that of 0.3.
    """
    card = require_object(value, "card")
    try:
        if pick(card, "supportedInterfaces") is not None or pick(card, "url") is None:
            return convert(AgentCard, card)
        return convert(AgentCard, _read_old(card))
    except RecursionError:
        raise InvalidParamsError("the card is nested too deep") from None


def _read_old(card: dict[str, JSON]) -> dict[str, JSON]:
    generation = _find_version(card)
    reader = SchemeReader(pick(card, "securitySchemes"))
    read = copy(card, *_SAME, "signatures")
    read["description"] = read.get("description") or read.get("name")
    read["supportedInterfaces"] = _read_interfaces(card, generation)
    read["capabilities"] = _read_capabilities(card)
    put(read, "securitySchemes", reader.schemes)
    put(read, "securityRequirements", reader.requirements(pick(card, "security"), "security"))
    for name in ("defaultInputModes", "defaultOutputModes"):
        read[name] = pick(card, name) or DEFAULT_MODES
    if is_object(provider := pick(card, "provider")) and not pick(provider, "url"):
        read["provider"] = provider | {"url": pick(card, "url")}
    read["skills"] = _read_skills(pick(card, "skills"), reader)
    return read


def _find_version(card: Mapping[str, JSON]) -> str:
    named: object = pick(card, "protocolVersion")
    if named is None:
        guess = Generation.V0_2 if pick(card, "authentication") is None else Generation.V0_1
        return str(guess.value)
    found = _VERSION.fullmatch(named) if isinstance(named, str) else None
    if found is None:
        refuse("protocolVersion", "must be a version such as '0.3.0'")
    return f"{int(found[1])}.{int(found[2])}"


def _read_interfaces(card: Mapping[str, JSON], version: str) -> list[JSON]:
    url = pick(card, "url")
    if not isinstance(url, str) or not url:
        refuse("url", "must be a non-empty string")
    pairs: dict[tuple[str, str], None] = {(_read_transport(pick(card, "preferredTransport")), url): None}
    others: JSON = pick(card, "additionalInterfaces")
    if others is None:
        others = list[JSON]()
    if not is_array(others):
        refuse("additionalInterfaces", "must be an array")
    for index, entry in enumerate(others):
        place = f"additionalInterfaces[{index}]"
        interface = require_object(entry, place)
        if not isinstance(other := pick(interface, "url"), str) or not other:
            refuse(f"{place}.url", "must be a non-empty string")
        pairs[_read_transport(pick(interface, "transport")), other] = None
    return [
        {"url": address, "protocolBinding": transport, "protocolVersion": version}
        for transport, address in pairs
    ]


def _read_transport(value: JSON) -> str:
    if value is None:
        return DEFAULT_TRANSPORT
    if not isinstance(value, str) or not value:
        refuse("preferredTransport", "must be a non-empty string")
    return value


def _read_capabilities(card: Mapping[str, JSON]) -> JSON:
    capabilities = pick(card, "capabilities")
    if capabilities is None:
        refuse("capabilities", "is required and missing")
    read = copy(require_object(capabilities, "capabilities"), "streaming", "pushNotifications", "extensions")
    put(read, "extendedAgentCard", pick(card, "supportsAuthenticatedExtendedCard"))
    return read


def _read_skills(value: JSON, reader: SchemeReader) -> JSON:
    if not is_array(value):
        return value
    return [_read_skill(skill, f"skills[{index}]", reader) for index, skill in enumerate(value)]


def _read_skill(value: JSON, place: str, reader: SchemeReader) -> JSON:
    skill = require_object(value, place)
    read = copy(skill, "id", "name", "description", "tags", "examples", "inputModes", "outputModes")
    read["description"] = read.get("description") or read.get("name")
    read.setdefault("tags", [])
    put(read, "securityRequirements", reader.requirements(pick(skill, "security"), f"{place}.security"))
    return read


def dump_card(card: AgentCard, generation: Generation) -> dict[str, JSON]:
    """The card as a reader of `generation` expects it. Signatures are left out: they sign the card of 1.0.

    Its interfaces are those of the generation, or of the nearest one before 1.0, or all that there are.
    """
    if generation is LATEST:
        return to_json(card)
    value = to_json(card)
    written = copy(value, *_SAME) | _write_endpoints(card, generation) | _write_old_members(value)
    written["capabilities"] = copy(value["capabilities"], "streaming", "pushNotifications", "extensions")
    written |= copy(value, "defaultInputModes", "defaultOutputModes")
    if "securitySchemes" in value:
        written["securitySchemes"] = {
            name: write_scheme(scheme) for name, scheme in value["securitySchemes"].items()
        }
    written["skills"] = [_write_skill(skill) for skill in value["skills"]]
    return written


def merged_card(card: AgentCard) -> dict[str, JSON]:
    """The card of 1.0 with the members that older readers look for beside them (SPEC 7.7).

    Older members are there only if an interface of a generation before 1.0 is, for to its address they send their readers.
    """
    value = to_json(card)
    generation = newest_before(card)
    if generation is None:
        return value
    merged = value | _write_endpoints(card, generation) | _write_old_members(value)
    if "securitySchemes" in value:
        merged["securitySchemes"] = {
            name: write_scheme(scheme) | scheme for name, scheme in value["securitySchemes"].items()
        }
    merged["skills"] = [_write_skill(skill) | skill for skill in value["skills"]]
    return merged


def newest_before(card: AgentCard) -> Generation | None:
    """The newest generation before 1.0 that the card has an interface of."""
    versions = [interface.protocol_version for interface in card.supported_interfaces]
    known = {_BY_VALUE[version] for version in map(_shorten, versions) if version in _BY_VALUE} - {LATEST}
    return max(known, key=lambda generation: generation.value, default=None)


def _shorten(version: str) -> str:
    return ".".join(version.split(".")[:2])


def _write_endpoints(card: AgentCard, generation: Generation) -> dict[str, JSON]:
    interfaces = _choose_interfaces(card, generation)
    first = interfaces[0]
    pairs = [{"url": interface.url, "transport": interface.protocol_binding} for interface in interfaces]
    return {
        "protocolVersion": FULL_VERSIONS[generation],
        "url": first.url,
        "preferredTransport": first.protocol_binding,
        "additionalInterfaces": [pair for index, pair in enumerate(pairs) if pair not in pairs[:index]],
    }


def _choose_interfaces(card: AgentCard, generation: Generation) -> list[AgentInterface]:
    nearest = newest_before(card)
    for wanted in (generation, nearest):
        chosen = [
            interface
            for interface in card.supported_interfaces
            if wanted is not None and _shorten(interface.protocol_version) == wanted.value
        ]
        if chosen:
            return chosen
    return list(card.supported_interfaces)


def _write_old_members(value: Mapping[str, JSON]) -> dict[str, JSON]:
    members: dict[str, JSON] = {
        "supportsAuthenticatedExtendedCard": bool(value["capabilities"].get("extendedAgentCard"))
    }
    if requirements := value.get("securityRequirements"):
        members["security"] = write_requirements(requirements)
    if schemes := value.get("securitySchemes"):
        members["authentication"] = {"schemes": list(dict.fromkeys(map(_name_scheme, schemes.values())))}
    return members


def _name_scheme(scheme: Mapping[str, JSON]) -> str:
    """What 0.1 calls it, for which OpenAPI's word is the type, and HTTP's the scheme."""
    flat = write_scheme(scheme)
    return str(flat["scheme"] if flat["type"] == "http" else flat["type"])


def _write_skill(skill: Mapping[str, JSON]) -> dict[str, JSON]:
    written = copy(skill, "id", "name", "description", "tags", "examples", "inputModes", "outputModes")
    if requirements := skill.get("securityRequirements"):
        written["security"] = write_requirements(requirements)
    return drop_empty(written) | {"tags": skill.get("tags", [])}
