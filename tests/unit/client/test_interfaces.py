"""Which of an agent's addresses to use."""

import pytest

from dragoman.client.interfaces import choose_interfaces
from dragoman.model import AgentInterface, BadResponse, Binding, Generation, VersionMismatch
from tests.unit.client.scripted import interface, make_card

BOTH = (Binding.JSONRPC, Binding.REST)
RPC, REST = interface("JSONRPC"), interface("HTTP+JSON", "/rest")


def choose(*interfaces, bindings=BOTH, **options):
    return choose_interfaces(make_card(supported_interfaces=interfaces), bindings, **options)


def test_the_order_of_the_agent_counts_not_that_of_the_client():
    assert choose(REST, RPC, bindings=(Binding.JSONRPC, Binding.REST)) == [REST, RPC]


def test_what_the_client_does_not_speak_is_passed_over():
    others = (
        interface("GRPC"),
        interface("https://example.com/binding/v1"),
        interface("JSONRPC", version="0.4"),
        interface("HTTP+JSON", version="0.2"),
        interface("JSONRPC", version="nonsense"),
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
        match=r"offers GRPC 1\.0, JSONRPC 0\.3; this client speaks HTTP\+JSON 1\.0 or JSONRPC 1\.0$",
    ):
        choose(interface("GRPC"), interface("JSONRPC", version="0.3"), generations=[Generation.V1_0])
    with pytest.raises(
        VersionMismatch, match=r"speaks HTTP\+JSON 1\.0, 0\.3 or JSONRPC 1\.0, 0\.3, 0\.2, 0\.1$"
    ):
        choose(interface("JSONRPC", version="2.0"))


def test_the_generation_is_that_of_the_first_interface_and_stays_it():
    old, old_rest = interface("JSONRPC", version="0.3.0"), interface("HTTP+JSON", version="0.3")
    assert choose(REST, old, RPC, old_rest) == [REST, RPC]
    assert choose(old, REST, RPC, old_rest) == [old, old_rest]
    assert choose(old, REST, is_mixed=True) == [old, REST]
    assert choose(REST, old, old_rest, generations=[Generation.V0_3]) == [old, old_rest]


@pytest.mark.parametrize("version", ["0.3", "0.2.6", "0.1"])
def test_each_generation_is_spoken_over_json_rpc(version):
    old = interface("JSONRPC", version=version)
    assert choose(old) == [old]


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


ALL = (*BOTH, Binding.GRPC)


@pytest.fixture
def without_grpc(monkeypatch):
    monkeypatch.setattr("dragoman.client.interfaces.has_grpc", lambda: False)


def with_address(url):
    return AgentInterface(url=url, protocol_binding="GRPC", protocol_version="1.0")


def test_grpc_is_spoken_at_a_host_and_port_or_a_url():
    for url in ("agent.example:50051", "[::1]:50051", "https://agent.example/a2a/grpc", "http://127.0.0.1:1"):
        assert choose(with_address(url), bindings=ALL) == [with_address(url)]


@pytest.mark.parametrize("url", ["unix:/run/agent", "agent.example", "xds:///a", "a:0", "a:99999", "a b:1"])
def test_what_is_no_address_for_grpc_is_passed_over(url):
    assert choose(with_address(url), RPC, bindings=ALL) == [RPC]


def test_without_its_libraries_grpc_is_passed_over(without_grpc):
    assert choose(with_address("a:1"), RPC, bindings=ALL) == [RPC]
    with pytest.raises(VersionMismatch, match=r"for gRPC: pip install 'dragoman\[grpc\]'"):
        choose(with_address("a:1"), bindings=ALL)


def test_a_card_that_came_over_tls_does_not_lead_to_plain_grpc():
    bare, plain = with_address("agent.example:1"), with_address("http://agent.example:1")
    assert choose(plain, bare, bindings=ALL, is_secure=True) == [bare]
