"""What is wrong with a card: what the specification forbids, and what callers will trip over (SPEC 1.6, 4)."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from urllib.parse import urlsplit

from dragoman.cli.cards import Served
from dragoman.cli.readers import is_loopback, is_web_address
from dragoman.model import (
    JSON,
    AgentCard,
    AgentInterface,
    Binding,
    FieldViolation,
    InvalidParamsError,
    ParseError,
    SecurityRequirement,
)
from dragoman.wire.codec import decode, decode_json
from dragoman.wire.media import is_json
from dragoman.wire.narrowing import is_array, is_object
from dragoman.wire.schema import Fields, Items, Shape, Values, shape_of

_MEDIA_TYPE = re.compile(r"[\w!#$&^.+*-]+/[\w!#$&^.+*-]+(;.*)?")
_VERSION = re.compile(r"\d+\.\d+")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")

Finding = FieldViolation


@dataclass(frozen=True, slots=True)
class Verdict:
    """`problems` make a card invalid, `advice` does not."""

    problems: tuple[Finding, ...] = ()
    advice: tuple[Finding, ...] = ()

    @property
    def is_valid(self) -> bool:
        return not self.problems


def validate_card(served: Served) -> Verdict:
    """Every reason that can be found."""
    try:
        value = decode_json(served.body)
    except ParseError as error:
        return Verdict(problems=(_find("", error.message),))
    advice = [*_advise_serving(served), *_list_unknown(shape_of(AgentCard), value, "")]
    try:
        card = decode(AgentCard, served.body)
    except InvalidParamsError as error:
        return Verdict((*_name_generation(value), *error.violations), tuple(advice))
    return Verdict(tuple(_list_problems(card)), (*advice, *_advise(card)))


def _name_generation(value: JSON) -> Iterator[Finding]:
    if is_object(value) and "url" in value and "supportedInterfaces" not in value:
        version = value.get("protocolVersion", "0.1 or 0.2")
        yield _find(
            "supportedInterfaces",
            f"is missing and 'url' is there: this is a card of A2A {version}, not of 1.0",
        )


def _advise_serving(served: Served) -> Iterator[Finding]:
    if served.content_type is not None and not is_json(served.content_type):
        yield _find(
            "",
            f"it is served as {served.content_type or 'nothing in particular'}; serve it as application/json",
        )
    if not served.is_cacheable:
        yield _find(
            "",
            "it is served without Cache-Control and ETag, so callers cannot keep it in good order (CCH-02)",
        )


def _list_unknown(shape: Shape, value: JSON, path: str) -> Iterator[Finding]:
    """Members that no card has: they are ignored, and mostly misspelt."""
    match shape:
        case Fields(by_name=known) if is_object(value):
            for name, entry in value.items():
                place = f"{path}.{name}" if path else name
                if name in known:
                    yield from _list_unknown(known[name].shape, entry, place)
                else:
                    yield _find(place, _name_similar(name, known))
        case Items(item=item) if is_array(value):
            for index, entry in enumerate(value):
                yield from _list_unknown(item, entry, f"{path}[{index}]")
        case Values(value=inner) if is_object(value):
            for name, entry in value.items():
                yield from _list_unknown(inner, entry, f"{path}.{name}")
        case _:
            return


def _name_similar(name: str, known: Mapping[str, object]) -> str:
    similar = get_close_matches(name, known, n=1)
    return (
        f"is not known and will be ignored; did you mean {similar[0]!r}?"
        if similar
        else "is not known and will be ignored"
    )


def _list_problems(card: AgentCard) -> Iterator[Finding]:
    for index, interface in enumerate(card.supported_interfaces):
        yield from _check_interface(interface, f"supportedInterfaces[{index}]")
    yield from _check_modes("defaultInputModes", card.default_input_modes)
    yield from _check_modes("defaultOutputModes", card.default_output_modes)
    yield from _check_skills(card)
    yield from _check_requirements(card, card.security_requirements, "")
    yield from _check_urls(card)
    for index, signature in enumerate(card.signatures):
        yield from _check_signature(signature.protected, f"signatures[{index}].protected")


def _check_interface(interface: AgentInterface, path: str) -> Iterator[Finding]:
    names = [binding.value for binding in Binding]
    if interface.protocol_binding not in names and not _URI.fullmatch(interface.protocol_binding):
        yield _find(
            f"{path}.protocolBinding",
            f"{interface.protocol_binding!r} is not {', '.join(names)} or the URI of another binding",
        )
    if interface.protocol_binding != Binding.GRPC.value and not is_web_address(interface.url):
        yield _find(f"{path}.url", f"{interface.url!r} is not an absolute http or https URL")
    if not _VERSION.fullmatch(interface.protocol_version):
        yield _find(
            f"{path}.protocolVersion", f"{interface.protocol_version!r} is not Major.Minor, such as 1.0"
        )


def _check_modes(path: str, modes: Iterable[str]) -> Iterator[Finding]:
    for index, mode in enumerate(modes):
        if not _MEDIA_TYPE.fullmatch(mode):
            yield _find(f"{path}[{index}]", f"{mode!r} is not a media type, such as text/plain")


def _check_skills(card: AgentCard) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, skill in enumerate(card.skills):
        path = f"skills[{index}]"
        if skill.id in seen:
            yield _find(f"{path}.id", f"{skill.id!r} is the id of skills[{seen[skill.id]}] too")
        seen.setdefault(skill.id, index)
        yield from _check_modes(f"{path}.inputModes", skill.input_modes)
        yield from _check_modes(f"{path}.outputModes", skill.output_modes)
        yield from _check_requirements(card, skill.security_requirements, f"{path}.")


def _check_requirements(
    card: AgentCard, requirements: Iterable[SecurityRequirement], path: str
) -> Iterator[Finding]:
    for index, requirement in enumerate(requirements):
        for name in requirement.schemes:
            if name not in card.security_schemes:
                place = f"{path}securityRequirements[{index}].schemes.{name}"
                yield _find(place, "is not declared in securitySchemes")


def _check_urls(card: AgentCard) -> Iterator[Finding]:
    urls = {
        "documentationUrl": card.documentation_url,
        "iconUrl": card.icon_url,
        "provider.url": card.provider.url if card.provider else None,
    }
    for path, url in urls.items():
        if url is not None and not is_web_address(url):
            yield _find(path, f"{url!r} is not an absolute http or https URL")


def _check_signature(protected: str, path: str) -> Iterator[Finding]:
    try:
        header: JSON = json.loads(base64.urlsafe_b64decode(protected + "=" * (-len(protected) % 4)))
    except (binascii.Error, ValueError):
        header = None
    if not is_object(header):
        yield _find(path, "is not a JSON object in base64url")
        return
    for name in ("alg", "kid"):
        if not header.get(name):
            yield _find(path, f"has no {name!r}, which a JWS header of a card must have")
    if str(header.get("alg", "")).lower() == "none":
        yield _find(path, "has the algorithm 'none', which signs nothing")


def _advise(card: AgentCard) -> Iterator[Finding]:
    for index, interface in enumerate(card.supported_interfaces):
        if _is_exposed(interface.url):
            yield _find(
                f"supportedInterfaces[{index}].url",
                "is plain http: credentials and content can be read on the way",
            )
        if interface in card.supported_interfaces[:index]:
            yield _find(f"supportedInterfaces[{index}]", "is in the list already")
    lists = {
        "defaultInputModes": card.default_input_modes,
        "defaultOutputModes": card.default_output_modes,
        "skills": card.skills,
    }
    for index, skill in enumerate(card.skills):
        lists[f"skills[{index}].tags"] = skill.tags
    for path, entries in lists.items():
        if not entries:
            yield _find(path, "is REQUIRED and empty or missing: some callers refuse such a card")
    if card.capabilities.extended_agent_card and not card.security_schemes:
        yield _find(
            "securitySchemes", "declares nothing, but the extended card needs callers who prove who they are"
        )


def _is_exposed(url: str) -> bool:
    return is_web_address(url) and urlsplit(url).scheme == "http" and not is_loopback(urlsplit(url).netloc)


def _find(path: str, why: str) -> Finding:
    return Finding(field=path, description=why)
