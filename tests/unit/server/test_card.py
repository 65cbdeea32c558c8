"""The card over HTTP, and the other pages."""

import pytest
from msgspec.structs import replace

from dragoman.model import AgentInterface
from dragoman.server import HttpOptions, Service
from dragoman.server.addresses import Addresses
from dragoman.server.card import MAX_PRINTED, CardPage
from dragoman.server.issuing import CardIssuer
from dragoman.server.replies import Reply
from tests.unit.server.asgi import ask
from tests.unit.server.fakes import FakeEngine, make_card

PATH = "/.well-known/agent-card.json"


def serve(**options) -> Service:
    return Service(FakeEngine(), card=make_card, **options)


async def get_urls(app, headers=(), **scope):
    card = (await ask(app, "GET", PATH, headers=[("host", "agent.example"), *headers], **scope)).json()
    return [entry["url"] for entry in card["supportedInterfaces"]]


async def test_the_card_lists_both_bindings_in_order(app):
    card = (await ask(app, "GET", PATH)).json()
    assert [
        (entry["protocolBinding"], entry["protocolVersion"]) for entry in card["supportedInterfaces"]
    ] == [("JSONRPC", "1.0"), ("HTTP+JSON", "1.0"), ("JSONRPC", "0.3"), ("HTTP+JSON", "0.3")]
    assert card["skills"][0]["tags"] == []


async def test_the_card_can_be_cached(app):
    answer = await ask(app, "GET", PATH, headers={})
    assert answer.headers["cache-control"] == "public, max-age=60"
    assert answer.headers["etag"].startswith('"')
    assert answer.headers["last-modified"].endswith(" GMT")
    assert "Host" in answer.headers["vary"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("template", ["{}", "W/{}", '"other", {}', "*"])
async def test_a_card_that_the_caller_has_is_not_sent_again(app, template):
    etag = (await ask(app, "GET", PATH, headers={})).headers["etag"]
    again = await ask(app, "GET", PATH, headers={"if-none-match": template.format(etag)})
    assert (again.status, again.body, again.headers["etag"]) == (304, b"", etag)


async def test_a_card_of_the_same_date_is_not_sent_again(app):
    date = (await ask(app, "GET", PATH, headers={})).headers["last-modified"]
    assert (await ask(app, "GET", PATH, headers={"if-modified-since": date})).status == 304
    assert (await ask(app, "GET", PATH, headers={"if-modified-since": "yesterday"})).status == 200
    both = {"if-modified-since": date, "if-none-match": '"other"'}
    assert (await ask(app, "GET", PATH, headers=both)).status == 200


async def test_another_address_is_another_card(app):
    first = await ask(app, "GET", PATH, headers={"host": "a.example"})
    second = await ask(app, "GET", PATH, headers={"host": "b.example"})
    assert first.headers["etag"] != second.headers["etag"]


async def test_each_address_and_version_goes_on_being_answered_with_its_own_card():
    app = serve()
    asked = [("a.example", "1.0"), ("b.example", "1.0"), ("a.example", "0.3"), ("b.example", "0.3")]
    for host, version in asked * 2:
        answer = await ask(app, "GET", PATH, headers={"host": host, "a2a-version": version})
        assert answer.json()["supportedInterfaces"][0]["url"] == f"http://{host}/"
        assert ("protocolVersion" in answer.json()) == (version == "0.3")


async def test_a_card_that_has_changed_is_shown_at_once():
    cards = {"now": make_card()}
    app = Service(FakeEngine(), card=lambda _: cards["now"])
    before = await ask(app, "GET", PATH)
    cards["now"] = replace(make_card(), description="Has learned more")
    after = await ask(app, "GET", PATH, headers={"if-none-match": before.headers["etag"]})
    assert (after.status, after.json()["description"]) == (200, "Has learned more")


def test_however_many_addresses_callers_make_up_few_cards_are_kept():
    issuer = CardIssuer(Addresses(public_url=None, trusted_proxies=()))
    page = CardPage(source=make_card, issuer=issuer, max_age=60)
    for number in range(MAX_PRINTED * 2):
        host = f"{number}.example".encode()
        reply = page.answer(
            {"type": "http", "query_string": b"", "headers": [(b"host", host)]}, {b"host": host}
        )
        assert isinstance(reply, Reply)
        assert host in reply.body
    assert len(page._printed) == MAX_PRINTED


async def test_the_public_url_wins():
    app = serve(public_url="https://agents.example/echo/")
    assert await get_urls(app) == ["https://agents.example/echo/", "https://agents.example/echo"] * 2
    assert (await ask(app, "GET", PATH)).headers["vary"] == "A2A-Version"


async def test_the_request_tells_the_url(app):
    assert await get_urls(app) == ["http://agent.example/", "http://agent.example"] * 2
    assert (await get_urls(app, scheme="https", root_path="/a b", path="/a b" + PATH))[:2] == [
        "https://agent.example/a%20b/",
        "https://agent.example/a%20b",
    ]


@pytest.mark.parametrize("host", ["", "a b", "evil.example/path", 'x"y', "[::1", "a@b"])
async def test_a_host_that_is_none_is_not_repeated(app, host):
    card = (await ask(app, "GET", PATH, headers={"host": host})).json()
    assert card["supportedInterfaces"][0]["url"] == "http://127.0.0.1:8000/"


FORWARDED = [
    ("x-forwarded-proto", "https"),
    ("x-forwarded-host", "spoofed.example, public.example"),
    ("x-forwarded-prefix", "/agents/"),
]


@pytest.mark.parametrize(
    "client, trusted",
    [
        (("127.0.0.1", 4711), True),
        (("10.0.0.9", 4711), False),
        (("203.0.113.9", 0), True),  # uvicorn took it from a proxy that it trusts
        (None, True),  # a Unix socket
        (("nonsense", 1), False),
    ],
)
async def test_only_a_trusted_proxy_is_believed(app, client, trusted):
    url = (await get_urls(app, FORWARDED, client=client))[1]
    assert url == ("https://public.example/agents" if trusted else "http://agent.example")


@pytest.mark.parametrize("proxies", [("10.0.0.0/8",), ("*",)])
async def test_other_proxies_can_be_trusted(proxies):
    app = serve(http=HttpOptions(trusted_proxies=proxies))
    assert (await get_urls(app, FORWARDED, client=("10.0.0.9", 1)))[0] == "https://public.example/agents/"


async def test_the_standard_header_is_understood(app):
    line = ("forwarded", 'for=1.2.3.4;host=no.example, for=5.6.7.8;Proto=https;host="public.example:8443"')
    assert (await get_urls(app, [line]))[1] == "https://public.example:8443"


async def test_a_prefix_that_the_server_knows_already_is_not_repeated(app):
    scope = {"root_path": "/agents/one", "path": "/agents/one" + PATH}
    assert (await get_urls(app, FORWARDED, **scope))[1] == "https://public.example/agents/one"


@pytest.mark.parametrize(
    "line",
    [
        ("x-forwarded-host", "a/b"),
        ("x-forwarded-proto", "javascript"),
        ("x-forwarded-prefix", "//evil.example"),
        ("x-forwarded-prefix", "/<script>"),
    ],
)
async def test_what_a_proxy_says_is_checked_too(app, line):
    assert (await get_urls(app, [line]))[1] == "http://agent.example"


async def test_a_card_with_interfaces_keeps_them():
    given = AgentInterface(url="agent.example:443", protocol_binding="GRPC", protocol_version="1.0")
    card = replace(make_card(), supported_interfaces=(given,))
    assert await get_urls(Service(FakeEngine(), card=lambda call: card)) == ["agent.example:443"]


async def test_people_are_shown_to_the_card(app):
    answer = await ask(app, "GET", "/", headers={"host": "agent.example"})
    assert answer.json()["card"] == "http://agent.example/.well-known/agent-card.json"


@pytest.mark.parametrize(
    "path, allowed",
    [
        ("/", "GET, HEAD, OPTIONS, POST"),
        (PATH, "GET, HEAD, OPTIONS"),
        ("/tasks", "GET, OPTIONS"),
        ("/tasks/1:subscribe", "POST, GET, OPTIONS"),
        ("/acme/message:send", "POST, OPTIONS"),
    ],
)
async def test_a_path_says_what_it_takes(app, path, allowed):
    asked, refused = await ask(app, "OPTIONS", path), await ask(app, "PUT", path)
    assert (asked.status, asked.body, asked.headers["allow"]) == (204, b"", allowed)
    assert (refused.status, refused.headers["allow"]) == (405, allowed)
    assert refused.json()["error"]["code"] == 405


async def test_an_unknown_path_is_not_found_in_the_shape_of_rest(app):
    answer = await ask(app, "GET", "/nowhere/at/all")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/a2a+json")
    assert answer.json()["error"]["details"][0]["reason"] == "METHOD_NOT_FOUND"


async def test_pages_of_other_origins_are_let_in_only_if_asked_for():
    origin = {"origin": "https://ui.example"}
    preflight = origin | {
        "access-control-request-method": "POST",
        "access-control-request-headers": "a2a-version,content-type",
    }
    closed = await ask(serve(), "OPTIONS", "/", headers=preflight)
    opened = serve(http=HttpOptions(cors_origins=("https://ui.example",)))
    assert not any(name.startswith("access-control") for name in closed.headers)
    allowed = await ask(opened, "OPTIONS", "/", headers=preflight)
    assert (allowed.status, allowed.headers["access-control-allow-origin"]) == (200, "https://ui.example")
    read = await ask(opened, "GET", PATH, headers=origin)
    assert read.headers["access-control-allow-origin"] == "https://ui.example"
