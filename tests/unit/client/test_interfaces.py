"""Which of an agent's addresses to use."""

import pytest

from dragoman.client.interfaces import choose_interfaces
from dragoman.model import BadResponse, Binding, VersionMismatch
from tests.unit.client.scripted import interface, make_card

BOTH = (Binding.JSONRPC, Binding.REST)
RPC, REST = interface("JSONRPC"), interface("HTTP+JSON", "/rest")


def choose(*interfaces, bindings=BOTH, is_secure=False):
    return choose_interfaces(make_card(supported_interfaces=interfaces), bindings, is_secure=is_secure)


def test_the_order_of_the_agent_counts_not_that_of_the_client():
    assert choose(REST, RPC, bindings=(Binding.JSONRPC, Binding.REST)) == [REST, RPC]


def test_what_the_client_does_not_speak_is_passed_over():
    others = (
        interface("GRPC"),
        interface("https://example.com/binding/v1"),
        interface("JSONRPC", version="0.3"),
    )
    assert choose(*others, REST, RPC) == [REST, RPC]
    assert choose(REST, RPC, bindings=[Binding.JSONRPC]) == [RPC]


def test_a_patch_number_does_not_matter():
    patched = interface("JSONRPC", version="1.0.1")
    assert choose(patched) == [patched]


def test_a_later_minor_version_is_not_spoken():
    with pytest.raises(VersionMismatch):
        choose(interface("JSONRPC", version="1.1"))


def test_a_mismatch_lists_what_was_offered():
    with pytest.raises(
        VersionMismatch,
        match=r"offers GRPC 1\.0, JSONRPC 0\.3; this client speaks HTTP\+JSON 1\.0 or JSONRPC 1\.0",
    ):
        choose(interface("GRPC"), interface("JSONRPC", version="0.3"))


def test_a_card_that_came_over_tls_does_not_lead_to_plain_http():
    secure = interface("HTTP+JSON", url="https://agent.example")
    assert choose(RPC, secure, is_secure=True) == [secure]
    with pytest.raises(VersionMismatch, match=r"plain http only: http://agent.example/rpc"):
        choose(RPC, is_secure=True)


def test_an_address_that_is_no_http_url_is_passed_over_or_named():
    local = interface("JSONRPC", url="file:///etc/passwd")
    broken = interface("JSONRPC", url="http://[x")
    assert choose(local, broken, REST) == [REST]
    with pytest.raises(BadResponse, match="file:///etc/passwd/rpc"):
        choose(local, broken)
