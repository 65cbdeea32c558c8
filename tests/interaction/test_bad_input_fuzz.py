"""Whatever comes in, something well-formed goes out, and nothing of it is our fault."""

import json
import string

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dragoman.model import OPERATIONS
from dragoman.server import Service
from tests.unit.server.asgi import RPC_HEADERS, Answer, ask
from tests.unit.server.fakes import FakeEngine, FakeStream, make_card, make_item

FUZZ = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TOKENS = string.ascii_letters + string.digits + "-/.,;=:*\"'{}[] %\\é"

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
NAMES = st.sampled_from(
    [
        "id",
        "taskId",
        "message",
        "messageId",
        "role",
        "parts",
        "text",
        "data",
        "url",
        "tenant",
        "pageSize",
        "status",
    ]
)
NEARLY = st.recursive(
    JSON | st.sampled_from(["ROLE_USER", "t1", "1.0"]),
    lambda inner: st.dictionaries(NAMES, inner, max_size=5) | st.lists(inner, max_size=3),
    max_leaves=12,
)
METHODS = st.sampled_from([operation.name for operation in OPERATIONS]) | st.text()
HEADERS = st.dictionaries(
    st.sampled_from(
        ["a2a-version", "a2a-extensions", "content-type", "content-length", "host", "if-none-match"]
    )
    | st.sampled_from(["if-modified-since", "forwarded", "x-forwarded-host", "x-forwarded-prefix", "cookie"]),
    st.text(TOKENS, max_size=40),
)
PATHS = st.text(TOKENS + "/:%?&=", max_size=60) | st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "/", "/acme", "//", "/%2f"]),
    st.sampled_from([operation.path for operation in OPERATIONS] + ["/.well-known/agent-card.json", "/"]),
    st.text(TOKENS + "?&=", max_size=20),
)


async def check(verb: str, target: str, body: bytes, headers: dict[str, str]) -> Answer:
    stream = FakeStream(make_item(1))
    app = Service(FakeEngine(stream=stream, subscribe=stream), card=make_card)
    answer = await ask(app, verb, target, body, headers)
    assert answer.is_complete
    assert 200 <= answer.status < 500, answer
    if answer.headers.get("content-type", "").endswith("json"):
        reply = answer.json()
        assert answer.status == 200 or "error" in reply
    return answer


@FUZZ
@given(body=st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
@pytest.mark.parametrize("target", ["/", "/message:send", "/tasks/t1:cancel"])
async def test_any_body_gets_an_answer(target, body):
    await check("POST", target, body, RPC_HEADERS)


@FUZZ
@given(method=METHODS, params=NEARLY, id=JSON)
async def test_any_call_gets_an_answer(method, params, id):
    body = json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode()
    answer = await check("POST", "/", body, RPC_HEADERS)
    for reply in answer.events() or [answer.json()]:
        assert ("result" in reply) != ("error" in reply)


@FUZZ
@given(params=NEARLY)
@pytest.mark.parametrize(
    "target", ["/message:send", "/tasks/t1/pushNotificationConfigs", "/a/message:stream"]
)
async def test_any_request_of_rest_gets_an_answer(target, params):
    await check("POST", target, json.dumps(params).encode(), RPC_HEADERS)


@FUZZ
@given(verb=st.sampled_from(["GET", "POST", "DELETE", "HEAD", "PUT", "X"]), target=PATHS, headers=HEADERS)
async def test_any_path_and_headers_get_an_answer(verb, target, headers):
    path, _, query = target.partition("?")
    safe = path.encode("ascii", "ignore").decode() or "/"
    await check(verb, f"{safe}?{query.encode('ascii', 'ignore').decode()}", b"{}", headers)
