"""The bytes that are signed (SPEC 4.5)."""

import json

import pytest
from hypothesis import given
from msgspec.structs import replace

from dragoman.model import AgentCapabilities, AgentCard, AgentCardSignature, AgentExtension
from dragoman.security.cards.canonical import NotCanonicalError, make_payloads
from dragoman.wire.codec import decode, encode
from tests.unit.security.cards.samples import PARAMS, make_card, make_plain_card
from tests.unit.wire.strategies import records


def read(payload):
    return json.loads(payload)


def with_params(params):
    extension = AgentExtension(uri="x:y", params=params)
    return make_plain_card(capabilities=AgentCapabilities(extensions=(extension,)))


def test_required_members_are_there_and_other_defaults_are_not():
    card = read(make_payloads(make_card()).exact)
    assert card["defaultOutputModes"] == []
    assert card["skills"][0]["tags"] == []
    assert "inputModes" not in card["skills"][0]
    assert "required" not in card["capabilities"]["extensions"][0]
    assert "tenant" not in card["supportedInterfaces"][0]


def test_optional_members_are_there_if_they_are_set_even_to_their_default():
    card = read(make_payloads(make_card()).exact)
    assert card["documentationUrl"] == ""
    assert card["capabilities"]["streaming"] is False
    assert "extendedAgentCard" not in card["capabilities"]
    assert "iconUrl" not in card


def test_defaults_that_were_served_are_dropped():
    body = b"""{"name":"n","description":"d","version":"1","capabilities":{"extensions":[]},"supportedInterfaces":
        [{"url":"https://a.example","protocolBinding":"JSONRPC","protocolVersion":"1.0","tenant":""}],
        "defaultInputModes":[],"defaultOutputModes":[],"skills":[],"securitySchemes":{},"unknown":1}"""
    payload = make_payloads(decode(AgentCard, body)).exact
    assert payload == (
        b'{"capabilities":{},"defaultInputModes":[],"defaultOutputModes":[],"description":"d","name":"n","skills":[],'
        b'"supportedInterfaces":[{"protocolBinding":"JSONRPC","protocolVersion":"1.0","url":"https://a.example"}],"version":"1"}'
    )


def test_the_signatures_are_left_out():
    signature = AgentCardSignature(protected="a", signature="b")
    assert make_payloads(make_card(signatures=(signature,))) == make_payloads(make_card())


@pytest.mark.parametrize(
    "value, text",
    [
        (1.0, "1"),
        (-0.0, "0"),
        (1e21, "1e+21"),
        (1e20, "100000000000000000000"),
        (1e-7, "1e-7"),
        (0.000001, "0.000001"),
        (333333333.33333329, "333333333.3333333"),
        (2**53 - 1, "9007199254740991"),
        (2**53 + 1, "9007199254740992"),
        (-(2**70), "-1.1805916207174113e+21"),
        ('\u20ac$\u000f\nA\'B"\\\\"/', '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"'),
        ("\x7f\u2028", '"\x7f\u2028"'),
        ([None, True, {}], "[null,true,{}]"),
    ],
)
def test_values_are_written_as_rfc_8785_has_them(value, text):
    payload = make_payloads(with_params({"v": value})).exact.decode()
    assert f'"params":{{"v":{text}}}' in payload


def test_names_are_ordered_by_utf_16():
    names = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\x80", "\xf6"]
    payload = make_payloads(with_params(dict.fromkeys(names, 0))).exact
    params = read(payload)["capabilities"]["extensions"][0]["params"]
    assert list(params) == ["\r", "1", "\x80", "\xf6", "\u20ac", "\U0001f600", "\ufb33"]


def test_the_stripped_form_has_nothing_that_is_empty():
    card = read(make_payloads(make_card()).stripped)
    assert "documentationUrl" not in card
    assert "defaultOutputModes" not in card
    assert "securityRequirements" not in card
    assert card["capabilities"]["streaming"] is False
    assert card["capabilities"]["extensions"][0]["params"]["liste"] == [0, {"é": PARAMS["liste"][4]["é"]}]


def test_both_forms_are_one_where_nothing_is_empty():
    payloads = make_payloads(make_plain_card())
    assert payloads.exact == payloads.stripped


@given(records(AgentCard))
def test_what_is_served_has_the_same_form_as_what_was_signed(card):
    try:
        payloads = make_payloads(card)
    except NotCanonicalError:
        return
    assert make_payloads(decode(AgentCard, encode(card))) == payloads
    served = json.loads(encode(replace(card, signatures=())), parse_int=float)
    assert json.loads(payloads.exact, parse_int=float) == served


def test_a_card_without_a_form_is_told():
    deep: list = []
    for _ in range(200):
        deep = [deep]
    for value in (deep, 10**400):
        with pytest.raises(NotCanonicalError):
            make_payloads(with_params({"v": value}))


def test_one_more_character_is_another_form():
    assert make_payloads(replace(make_card(), name="x")) != make_payloads(make_card())
