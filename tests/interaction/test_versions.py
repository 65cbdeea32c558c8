"""Service parameters: versions and extensions (SPEC 3.6)."""

import json

import pytest

from dragoman.client.http import AsgiHttp, HttpRequest
from tests.interaction.agents import Parrot
from tests.interaction.requirements import requirement
from tests.interaction.wires import over_http, send_params


@requirement("VER-05", "RPC-02", "RST-02")
async def test_the_version_that_is_served_is_served(wire):
    assert (await wire.call("ListTasks", a2a_version="1.0")).is_result


@requirement("VER-06", "ERR-11")
@pytest.mark.parametrize("version", ["0.9", "1.1", "2.0", "one", "1"])
async def test_another_version_is_refused_with_those_that_are_served(wire, version):
    error = (await wire.call("ListTasks", a2a_version=version)).error
    assert error.reason == "VERSION_NOT_SUPPORTED"
    assert error.info["metadata"] == {"supportedVersions": "1.0"}


@requirement("VER-05", "VER-07")
async def test_no_version_means_0_3_where_nothing_is_called_so(wire, connect):
    assert (await wire.call("ListTasks", a2a_version="")).error.reason == "VERSION_NOT_SUPPORTED"
    lenient = await connect(Parrot(strict_versions=False))
    assert (await lenient.call("ListTasks", a2a_version="")).is_result


@requirement("VER-02")
async def test_a_patch_number_changes_nothing(wire):
    assert (await wire.call("ListTasks", a2a_version="1.0.7")).is_result
    assert (await wire.call("ListTasks", a2a_version="0.9.7")).error.reason == "VERSION_NOT_SUPPORTED"


@over_http
@requirement("VER-05")
async def test_the_version_may_come_in_the_query_and_the_header_wins(wire):
    async def call(query, **headers):
        request = wire.build("ListTasks", {}, headers)
        mark = "&" if "?" in request.url else "?"
        url = f"{request.url}{mark}A2A-Version={query}"
        reply = await wire.http.request(HttpRequest(request.verb, url, request.headers, request.body))
        return wire.read(*reply)

    assert (await call("1.0")).is_result
    assert (await call("9.0")).error.reason == "VERSION_NOT_SUPPORTED"
    assert (await call("9.0", **{"a2a-version": "1.0"})).is_result
    assert (await call("1.0", **{"a2a-version": "9.0"})).error.reason == "VERSION_NOT_SUPPORTED"


@over_http
@requirement("PAR-06", "PAR-07")
@pytest.mark.parametrize("name", ["A2A-Version", "a2a-version", "A2a-VERSION"])
async def test_names_of_parameters_have_no_case_and_others_do_not_disturb(wire, name):
    given = {name: "1.0", "X-Request-Id": "r1", "a2a-unheard-of": "x"}
    request = wire.build("ListTasks", {}, given)
    assert wire.read(*await wire.http.request(request)).is_result


@requirement("XTN-03", "XTN-07")
async def test_an_extension_that_nobody_knows_is_ignored(wire):
    answer = await wire.call("SendMessage", send_params(), a2a_extensions="urn:nobody:knows/v1, urn:other")
    assert answer.task["artifacts"]
    assert "a2a-extensions" not in answer.headers


@requirement("VER-01", "VER-05")
async def test_the_card_names_the_version_without_a_patch(parrot):
    card = json.loads((await fetch_card(parrot)).body)
    assert {interface["protocolVersion"] for interface in card["supportedInterfaces"]} == {"1.0", "0.3"}


async def fetch_card(app):
    return await AsgiHttp(app).request(HttpRequest("GET", "http://agent.test/.well-known/agent-card.json"))
