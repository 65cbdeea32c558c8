"""URLs that somebody else wrote."""

import pytest

from dragoman.client.addresses import (
    follow,
    is_exposed,
    is_http_url,
    is_same_origin,
    read_grpc_address,
)


@pytest.mark.parametrize("url", ["http://a", "https://a.example:8443/x?y", "http://[::1]:80/", "HTTP://A"])
def test_urls_that_a_request_can_go_to(url):
    assert is_http_url(url)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "a.example",
        "/x",
        "//a.example",
        "file:///etc/passwd",
        "http://",
        "http:///x",
        "http://[x",
        "http://a:b",
        "http://a:99999",
        "http://a:0",
    ],
)
def test_urls_that_none_can_go_to(url):
    assert not is_http_url(url)


@pytest.mark.parametrize(
    "location,target",
    [
        ("/b", "http://a/b"),
        ("c", "http://a/x/c"),
        ("https://b/", "https://b/"),
        ("//b/y", "http://b/y"),
        ("file:///etc/passwd", ""),
        ("http://[x", ""),
    ],
)
def test_where_a_redirect_leads(location, target):
    assert follow("http://a/x/y", location) == target


def test_an_origin_is_scheme_host_and_port():
    assert is_same_origin("http://a/x", "http://a/y")
    assert not is_same_origin("http://a/x", "https://a/x")
    assert not is_same_origin("http://a/x", "http://a:81/x")


@pytest.mark.parametrize("url", ["http://a.example", "http://10.0.0.1", "http://localhost.example"])
def test_plain_http_can_be_read_on_its_way(url):
    assert is_exposed(url)


@pytest.mark.parametrize(
    "url",
    ["https://a.example", "http://localhost:80", "http://127.0.0.2", "http://[::1]", "http://a.localhost"],
)
def test_tls_and_the_own_machine_cannot(url):
    assert not is_exposed(url)


@pytest.mark.parametrize("is_secure", [True, False])
def test_a_host_and_port_do_not_say_whether_there_is_tls(is_secure):
    assert read_grpc_address("agent.example:50051", is_secure=is_secure) == ("agent.example:50051", is_secure)


@pytest.mark.parametrize(
    "url, address",
    [
        ("https://agent.example/a2a/grpc", ("agent.example:443", True)),
        ("https://agent.example:8443", ("agent.example:8443", True)),
        ("http://127.0.0.1", ("127.0.0.1:80", False)),
        ("http://[::1]:9", ("[::1]:9", False)),
    ],
)
def test_a_url_says_it(url, address):
    """D-20."""
    assert read_grpc_address(url, is_secure=not address[1]) == address
