import base64
import json
from typing import Any

import pytest

from dragoman.cli.cards import Served
from dragoman.cli.validation import validate_card

CARD: dict[str, Any] = {
    "name": "Greeter",
    "description": "Says hello",
    "version": "1.0.0",
    "supportedInterfaces": [
        {"url": "https://example.com/", "protocolBinding": "JSONRPC", "protocolVersion": "1.0"}
    ],
    "capabilities": {"streaming": True},
    "defaultInputModes": ["text/plain"],
    "defaultOutputModes": ["text/plain"],
    "skills": [{"id": "hello", "name": "Hello", "description": "Greets", "tags": ["hello"]}],
}
INTERFACE = CARD["supportedInterfaces"][0]
SKILL = CARD["skills"][0]


def encode_header(header: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def sign(header: object) -> dict[str, Any]:
    return {"signatures": [{"protected": encode_header(header), "signature": "x"}]}


def judge(**changes: Any) -> tuple[dict[str, str], dict[str, str]]:
    """The problems and the advice for a card, by the member that they are about."""
    verdict = validate_card(Served("card.json", json.dumps({**CARD, **changes}).encode()))
    problems, advice = (
        {find.field: find.description for find in found} for found in (verdict.problems, verdict.advice)
    )
    return problems, advice


def test_a_good_card_has_no_problems_and_needs_no_advice():
    assert judge() == ({}, {})
    assert judge(**sign({"alg": "ES256", "kid": "key-1"})) == ({}, {})


@pytest.mark.parametrize(
    "changes, field, words",
    [
        ({"name": ""}, "name", "non-empty"),
        ({"capabilities": {"streaming": "yes"}}, "capabilities.streaming", "expected true or false"),
        ({"supportedInterfaces": []}, "supportedInterfaces", "at least one"),
        (
            {"supportedInterfaces": [{**INTERFACE, "url": "/agent"}]},
            "supportedInterfaces[0].url",
            "not an absolute",
        ),
        (
            {"supportedInterfaces": [{**INTERFACE, "url": "http://["}]},
            "supportedInterfaces[0].url",
            "not an absolute",
        ),
        (
            {"supportedInterfaces": [{**INTERFACE, "protocolBinding": "SOAP"}]},
            "supportedInterfaces[0].protocolBinding",
            "'SOAP' is not",
        ),
        (
            {"supportedInterfaces": [{**INTERFACE, "protocolVersion": "1.0.0"}]},
            "supportedInterfaces[0].protocolVersion",
            "Major.Minor",
        ),
        ({"defaultInputModes": ["text"]}, "defaultInputModes[0]", "not a media type"),
        ({"skills": [SKILL, SKILL]}, "skills[1].id", "the id of skills[0] too"),
        ({"skills": [{**SKILL, "outputModes": ["x"]}]}, "skills[0].outputModes[0]", "not a media type"),
        (
            {"securityRequirements": [{"schemes": {"key": {"list": []}}}]},
            "securityRequirements[0].schemes.key",
            "not declared",
        ),
        (
            {"skills": [{**SKILL, "securityRequirements": [{"schemes": {"key": {"list": []}}}]}]},
            "skills[0].securityRequirements[0].schemes.key",
            "not declared",
        ),
        ({"documentationUrl": "docs"}, "documentationUrl", "not an absolute"),
        ({"provider": {"url": "x", "organization": "y"}}, "provider.url", "not an absolute"),
        (
            {"signatures": [{"protected": "!", "signature": "x"}]},
            "signatures[0].protected",
            "not a JSON object",
        ),
        (sign([]), "signatures[0].protected", "not a JSON object"),
        (sign({"alg": "ES256"}), "signatures[0].protected", "has no 'kid'"),
        (sign({"alg": "none", "kid": "k"}), "signatures[0].protected", "signs nothing"),
    ],
)
def test_a_problem_names_the_member_and_the_reason(changes, field, words):
    problems, _ = judge(**changes)
    assert words in problems[field]


@pytest.mark.parametrize(
    "changes, field, words",
    [
        ({"skils": []}, "skils", "did you mean 'skills'?"),
        ({"zzz": 1}, "zzz", "is not known and will be ignored"),
        ({"skills": [{**SKILL, "tag": []}]}, "skills[0].tag", "did you mean 'tags'?"),
        (
            {"supportedInterfaces": [{**INTERFACE, "url": "http://example.com"}]},
            "supportedInterfaces[0].url",
            "plain http",
        ),
        ({"supportedInterfaces": [INTERFACE, INTERFACE]}, "supportedInterfaces[1]", "in the list already"),
        ({"skills": []}, "skills", "empty or missing"),
        ({"skills": [{**SKILL, "tags": []}]}, "skills[0].tags", "empty or missing"),
        ({"capabilities": {"extendedAgentCard": True}}, "securitySchemes", "declares nothing"),
    ],
)
def test_advice_does_not_make_a_card_invalid(changes, field, words):
    problems, advice = judge(**changes)
    assert problems == {}
    assert words in advice[field]


@pytest.mark.parametrize(
    "url, binding",
    [("http://127.0.0.1:8000", "JSONRPC"), ("http://localhost", "HTTP+JSON"), ("example.com:443", "GRPC")],
)
def test_addresses_on_this_machine_and_of_grpc_are_fine(url, binding):
    assert judge(supportedInterfaces=[{**INTERFACE, "url": url, "protocolBinding": binding}]) == ({}, {})


def test_every_problem_is_told_at_once():
    problems, _ = judge(name=1, version="", defaultInputModes="text")
    assert set(problems) == {"name", "version", "defaultInputModes"}


def test_a_card_of_an_older_generation_is_called_one():
    old = {"name": "Old", "url": "https://example.com", "protocolVersion": "0.3.0"}
    verdict = validate_card(Served("card.json", json.dumps(old).encode()))
    assert "a card of A2A 0.3.0, not of 1.0" in verdict.problems[0].description


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"<html>"])
def test_what_is_not_json_is_one_problem(body):
    verdict = validate_card(Served("card.json", body))
    assert [problem.field for problem in verdict.problems] == [""]


@pytest.mark.parametrize("body", [b"[]", b"null", b"1"])
def test_json_that_is_no_object_is_no_card(body):
    assert not validate_card(Served("card.json", body)).is_valid


def test_a_card_that_is_served_badly_is_told_so():
    verdict = validate_card(Served("https://x", json.dumps(CARD).encode(), "text/html", is_cacheable=False))
    assert verdict.is_valid
    assert [
        ("text/html" in find.description, "Cache-Control" in find.description) for find in verdict.advice
    ] == [
        (True, False),
        (False, True),
    ]
