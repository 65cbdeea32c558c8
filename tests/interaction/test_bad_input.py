"""What bad input gets, in both bindings: the right error in the right shape, and the server goes on."""

import json
import time
from collections.abc import AsyncIterator

import pytest

from dragoman.engine import Limits
from dragoman.model import InvalidParamsError, TaskNotFoundError, UnsupportedOperationError
from dragoman.server import Service
from tests.unit.server.asgi import RPC_HEADERS, Answer, ask, call
from tests.unit.server.fakes import FakeEngine, make_card

MAX_BODY = 64 * 1024
MESSAGE = {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "hello"}]}
DEEP = b"[" * 10_000 + b"]" * 10_000


@pytest.fixture
async def app() -> AsyncIterator[Service]:
    """A service that is asked something sensible after every test, in both bindings."""
    service = Service(FakeEngine(), card=make_card, limits=Limits(max_body_bytes=MAX_BODY))
    yield service
    assert "result" in (await call(service, "SendMessage", {"message": MESSAGE})).json()
    assert (await ask(service, "GET", "/tasks/t1")).status == 200


def rpc(params: object, method: str = "SendMessage") -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": 7, "method": method, "params": params}).encode()


def check_rpc(answer: Answer, code: int, *, status: int = 200, id: object = 7) -> list[str]:
    """Check the shape, and return the fields that are to blame."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/json")
    reply = answer.json()
    assert (reply["jsonrpc"], reply["id"], reply["error"]["code"]) == ("2.0", id, code)
    return fields_of(reply["error"]["message"], reply["error"]["data"])


def check_rest(answer: Answer, status: int, reason: str) -> list[str]:
    """Check the shape, and return the fields that are to blame."""
    assert (answer.status, answer.headers["content-type"]) == (status, "application/a2a+json")
    error = answer.json()["error"]
    assert (error["code"], error["details"][0]["reason"]) == (status, reason)
    return fields_of(error["message"], error["details"])


def fields_of(message: str, details: list[dict]) -> list[str]:
    assert message
    assert len(message) < 1_000
    assert details[0]["domain"] == "a2a-protocol.org"
    assert all(detail["@type"].startswith("type.googleapis.com/google.rpc.") for detail in details)
    return [violation["field"] for detail in details[1:] for violation in detail.get("fieldViolations", [])]


NOT_JSON = {
    "empty": b"",
    "blank": b" \n",
    "cut": b'{"jsonrpc":"2.0","id":7,"meth',
    "two": b"{}{}",
    "comma": b'{"jsonrpc":"2.0","id":7,"method":"ListTasks","params":{},}',
    "comment": b'{/* */"jsonrpc":"2.0","id":7,"method":"ListTasks"}',
    "single quotes": b"{'jsonrpc':'2.0'}",
    "not a number": b'{"jsonrpc":"2.0","id":NaN,"method":"ListTasks"}',
    "utf-16": '{"jsonrpc":"2.0"}'.encode("utf-16"),
    "broken utf-8": b'{"jsonrpc":"2.0","id":"\xff\xfe","method":"ListTasks"}',
    "lone surrogate": b'{"jsonrpc":"2.0","id":"\xed\xa0\x80","method":"ListTasks"}',
    "deep": DEEP,
    "deep inside": rpc({"message": MESSAGE}).replace(b'"hello"', DEEP),
    "deep objects": b'{"a":' * 5_000 + b"1" + b"}" * 5_000,
    "nul": b"\0" * 100,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
async def test_a_body_that_is_not_json_is_a_parse_error(app, body):
    check_rpc(await ask(app, "POST", "/", body), -32700, id=None)


@pytest.mark.parametrize("name", [name for name in NOT_JSON if name not in ("empty", "blank")])
async def test_a_body_that_is_not_json_is_a_bad_request(app, name):
    check_rest(await ask(app, "POST", "/message:send", NOT_JSON[name]), 400, "PARSE_ERROR")


@pytest.mark.parametrize("text", [b"\xc3\x28", b"\\ud800", b"\\x", b"\n"])
async def test_params_that_are_not_json_are_a_parse_error(app, text):
    body = rpc({"message": MESSAGE}).replace(b"hello", text)
    answer = await ask(app, "POST", "/", body)
    check_rpc(answer, -32700, id=answer.json()["id"])
    body = json.dumps({"message": MESSAGE}).encode().replace(b"hello", text)
    check_rest(await ask(app, "POST", "/message:send", body), 400, "PARSE_ERROR")


INVALID_REQUESTS = {
    "batch": (b'[{"jsonrpc":"2.0","id":7,"method":"ListTasks"}]', None),
    "empty batch": (b"[]", None),
    "null": (b"null", None),
    "number": (b"5", None),
    "string": (b'"SendMessage"', None),
    "no version": (b'{"id":7,"method":"ListTasks"}', 7),
    "old version": (b'{"jsonrpc":"1.0","id":7,"method":"ListTasks"}', 7),
    "number as version": (b'{"jsonrpc":2.0,"id":7,"method":"ListTasks"}', 7),
    "no method": (b'{"jsonrpc":"2.0","id":7}', 7),
    "method of a wrong type": (b'{"jsonrpc":"2.0","id":"x","method":5}', "x"),
    "id of a wrong type": (b'{"jsonrpc":"2.0","id":{},"method":"ListTasks"}', None),
    "endless id": (b'{"jsonrpc":"2.0","id":"%b","method":"ListTasks"}' % (b"x" * 2_000), None),
    "params of a wrong type": (b'{"jsonrpc":"2.0","id":7,"method":"ListTasks","params":5}', 7),
}


@pytest.mark.parametrize("body, id", INVALID_REQUESTS.values(), ids=INVALID_REQUESTS)
async def test_json_that_is_no_call_is_an_invalid_request(app, body, id):
    check_rpc(await ask(app, "POST", "/", body), -32600, id=id)


@pytest.mark.parametrize(
    "method", ["", "sendMessage", "message/send", "SendMessage ", "x" * 10_000, "__init__"]
)
async def test_an_unknown_method_is_not_found(app, method):
    check_rpc(await ask(app, "POST", "/", rpc({}, method)), -32601)


BAD_MESSAGES = {
    "no message": ({}, "message"),
    "null message": ({"message": None}, "message"),
    "message of a wrong type": ({"message": "hello"}, "message"),
    "no id": ({"message": {"role": "ROLE_USER", "parts": [{"text": "x"}]}}, "message.messageId"),
    "empty id": ({"message": MESSAGE | {"messageId": ""}}, "message.messageId"),
    "no parts": ({"message": MESSAGE | {"parts": []}}, "message.parts"),
    "part of a wrong type": ({"message": MESSAGE | {"parts": [5]}}, "message.parts[0]"),
    "part without content": ({"message": MESSAGE | {"parts": [{}]}}, "message.parts[0]"),
    "part with two contents": (
        {"message": MESSAGE | {"parts": [{"text": "x", "url": "y"}]}},
        "message.parts[0]",
    ),
    "text of a wrong type": ({"message": MESSAGE | {"parts": [{"text": 5}]}}, "message.parts[0].text"),
    "raw that is no base64": ({"message": MESSAGE | {"parts": [{"raw": "%%"}]}}, "message.parts[0].raw"),
    "unknown role": ({"message": MESSAGE | {"role": "user"}}, "message.role"),
    "configuration of a wrong type": ({"message": MESSAGE, "configuration": []}, "configuration"),
    "endless length": (
        {"message": MESSAGE, "configuration": {"historyLength": 10**40}},
        "configuration.historyLength",
    ),
    "metadata of a wrong type": ({"message": MESSAGE, "metadata": [1]}, "metadata"),
    "tenant of a wrong type": ({"message": MESSAGE, "tenant": 5}, "tenant"),
}


@pytest.mark.parametrize("params, field", BAD_MESSAGES.values(), ids=BAD_MESSAGES)
async def test_a_bad_member_is_named(app, params, field):
    assert field in check_rpc(await ask(app, "POST", "/", rpc(params)), -32602)
    over_rest = await ask(app, "POST", "/message:send", json.dumps(params).encode())
    assert field in check_rest(over_rest, 400, "INVALID_PARAMS")


@pytest.mark.parametrize("body", [b"null", b"5", b"[]", b'"x"', b"true"])
async def test_a_body_of_a_wrong_type_is_invalid(app, body):
    check_rest(await ask(app, "POST", "/message:send", body), 400, "INVALID_PARAMS")


async def test_params_as_a_list_are_invalid(app):
    check_rpc(await ask(app, "POST", "/", rpc([MESSAGE])), -32602)


BAD_QUERIES = {
    "pageSize=many": "pageSize",
    "pageSize=1.5": "pageSize",
    "pageSize=99999999999": "pageSize",
    "pageSize=1&pageSize=2": "pageSize",
    "includeArtifacts=yes": "includeArtifacts",
    "status=DONE": "status",
    "statusTimestampAfter=yesterday": "statusTimestampAfter",
    "statusTimestampAfter=0000-00-00T00:00:00Z": "statusTimestampAfter",
    "historyLength=--1": "historyLength",
    "tenant=a&tenant=b": "tenant",
}


@pytest.mark.parametrize("query, field", BAD_QUERIES.items(), ids=BAD_QUERIES)
async def test_a_bad_query_value_is_named(app, query, field):
    assert check_rest(await ask(app, "GET", f"/tasks?{query}"), 400, "INVALID_PARAMS") == [field]


@pytest.mark.parametrize("query", ["contextId=%ff", "&".join(f"a{number}=1" for number in range(500))])
async def test_a_query_that_cannot_be_read_is_refused(app, query):
    check_rest(await ask(app, "GET", f"/tasks?{query}"), 400, "INVALID_PARAMS")


async def test_ids_in_two_places_must_agree(app):
    answer = await ask(app, "POST", "/tasks/t1:cancel", b'{"id":"t2"}')
    assert check_rest(answer, 400, "INVALID_PARAMS") == ["id"]
    answer = await ask(app, "POST", "/acme/tasks/t1:cancel?tenant=other")
    assert check_rest(answer, 400, "INVALID_PARAMS") == ["tenant"]


@pytest.mark.parametrize(
    "path", ["/tasks/", "/tasks/%ff", "/message:sendx", "/..%2f..%2fetc%2fpasswd", "/x" * 3_000]
)
async def test_a_path_that_leads_nowhere_is_not_found(app, path):
    check_rest(await ask(app, "GET", path), 404, "METHOD_NOT_FOUND")


async def test_a_wrong_verb_says_which_is_right(app):
    answer = await ask(app, "DELETE", "/message:send")
    check_rest(answer, 405, "METHOD_NOT_FOUND")
    assert answer.headers["allow"] == "POST, OPTIONS"


BAD_VERSIONS = [
    "",
    "0.3",
    "2.0",
    "1.1",
    "99.0",
    "1",
    "v1.0",
    "1.0 beta",
    "1.0, 2.0",
    "９.０",
    "1.0\t;",
]


@pytest.mark.parametrize("version", BAD_VERSIONS)
async def test_a_version_that_is_not_served_is_refused(app, version):
    headers = RPC_HEADERS | {"a2a-version": version.encode().decode("latin-1")}
    check_rpc(await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers), -32009)
    check_rest(await ask(app, "GET", "/tasks/t1", headers=headers), 400, "VERSION_NOT_SUPPORTED")


async def test_no_version_is_an_old_one(app):
    headers = {"content-type": "application/json"}
    check_rpc(await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers), -32009)
    check_rest(await ask(app, "GET", "/tasks/t1", headers=headers), 400, "VERSION_NOT_SUPPORTED")


async def test_the_version_may_stand_in_the_query(app):
    headers = {"content-type": "application/json"}
    query = "?A2A-Version=1.0"
    assert (await ask(app, "POST", "/" + query, rpc({"message": MESSAGE}), headers=headers)).json()["result"]
    assert (await ask(app, "GET", "/tasks/t1" + query, headers=headers)).status == 200


async def test_the_header_wins_over_the_query(app):
    check_rest(
        await ask(app, "GET", "/tasks/t1?A2A-Version=1.0", headers={"a2a-version": "2.0"}),
        400,
        "VERSION_NOT_SUPPORTED",
    )
    assert (await ask(app, "GET", "/tasks/t1?A2A-Version=2.0")).status == 200


async def test_the_same_version_twice_is_that_version(app):
    headers = [("a2a-version", "1.0"), ("a2a-version", "1.0")]
    assert (await ask(app, "GET", "/tasks/t1", headers=headers)).status == 200


async def test_a_lenient_agent_serves_its_own_version_to_whoever_names_none():
    lenient = Service(FakeEngine(), card=make_card, strict_versions=False)
    for headers in ({"content-type": "application/json"}, RPC_HEADERS | {"a2a-version": "1.7"}):
        assert (
            "result" in (await ask(lenient, "POST", "/", rpc({"message": MESSAGE}), headers=headers)).json()
        )
    check_rpc(await ask(lenient, "POST", "/", rpc({}), headers=RPC_HEADERS | {"a2a-version": "2.0"}), -32009)


@pytest.mark.parametrize(
    "content_type",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "json", "*/*"],
)
async def test_a_body_of_another_type_is_not_taken(app, content_type):
    headers = RPC_HEADERS | {"content-type": content_type}
    over_rpc = await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers)
    over_rest = await ask(app, "POST", "/message:send", b"{}", headers=headers)
    check_rpc(over_rpc, -32005, status=415, id=None)
    check_rest(over_rest, 415, "CONTENT_TYPE_NOT_SUPPORTED")
    assert (
        over_rpc.headers["accept"] == over_rest.headers["accept"] == "application/json, application/a2a+json"
    )


async def test_a_body_without_a_type_is_not_taken(app):
    answer = await ask(app, "POST", "/message:send", b"{}", headers={"a2a-version": "1.0"})
    check_rest(answer, 415, "CONTENT_TYPE_NOT_SUPPORTED")


@pytest.mark.parametrize(
    "content_type", ["application/a2a+json", "Application/JSON", "application/json; charset=utf-8"]
)
async def test_json_by_any_of_its_names_is_taken(app, content_type):
    headers = RPC_HEADERS | {"content-type": content_type}
    assert "result" in (await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers)).json()
    body = json.dumps({"message": MESSAGE}).encode()
    assert (await ask(app, "POST", "/message:send", body, headers=headers)).status == 200


async def test_no_body_needs_no_type(app):
    assert (await ask(app, "POST", "/tasks/t1:cancel", headers={"a2a-version": "1.0"})).status == 200


async def test_a_packed_body_is_not_taken(app):
    headers = RPC_HEADERS | {"content-encoding": "gzip"}
    check_rpc(await ask(app, "POST", "/", b"\x1f\x8b", headers=headers), -32005, status=415, id=None)


@pytest.mark.parametrize("length", [MAX_BODY + 1, 10**17])
async def test_a_body_that_is_announced_as_too_large_is_refused_unread(app, length):
    headers = RPC_HEADERS | {"content-length": str(length)}
    check_rpc(await ask(app, "POST", "/", [], headers=headers), -32600, status=413, id=None)
    check_rest(await ask(app, "POST", "/message:send", [], headers=headers), 413, "INVALID_REQUEST")


async def test_a_body_that_turns_out_too_large_is_refused_while_it_is_read(app):
    chunks = [b"x" * 1_000] * 1_000
    check_rpc(await ask(app, "POST", "/", chunks), -32600, status=413, id=None)
    check_rest(await ask(app, "POST", "/message:send", chunks), 413, "INVALID_REQUEST")


async def test_a_body_of_just_the_limit_is_read(app):
    body = rpc({"message": MESSAGE})
    assert "result" in (await ask(app, "POST", "/", body + b" " * (MAX_BODY - len(body)))).json()


@pytest.mark.parametrize("length", ["", "-1", "1e3", "5, 5", "9" * 40])
async def test_an_odd_content_length_is_refused(app, length):
    headers = RPC_HEADERS | {"content-length": length}
    check_rpc(await ask(app, "POST", "/", b"{}", headers=headers), -32600, id=None)
    check_rest(await ask(app, "POST", "/message:send", b"{}", headers=headers), 400, "INVALID_REQUEST")


async def test_odd_headers_harm_nobody(app):
    headers = [
        *RPC_HEADERS.items(),
        ("a2a-extensions", ",,\xff,"),
        ("x" * 5_000, "y" * 50_000),
        ("cookie", "\x00"),
    ]
    assert "result" in (await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers)).json()
    assert (await ask(app, "GET", "/tasks/t1", headers=headers)).status == 200


async def test_endless_extensions_are_refused(app):
    headers = RPC_HEADERS | {"a2a-extensions": "urn:x" + "x" * 10_000}
    check_rpc(await ask(app, "POST", "/", rpc({"message": MESSAGE}), headers=headers), -32600)
    check_rest(await ask(app, "GET", "/tasks/t1", headers=headers), 400, "INVALID_REQUEST")


@pytest.mark.parametrize(
    "error, code, status, reason",
    [
        (TaskNotFoundError(), -32001, 404, "TASK_NOT_FOUND"),
        (UnsupportedOperationError("the task has ended"), -32004, 400, "UNSUPPORTED_OPERATION"),
        (InvalidParamsError("the task is of another context"), -32602, 400, "INVALID_PARAMS"),
    ],
    ids=["unknown or foreign task", "terminal task", "context mismatch"],
)
async def test_what_the_engine_refuses_is_told_in_both_bindings(error, code, status, reason):
    app = Service(FakeEngine(send=error), card=make_card)
    check_rpc(await call(app, "SendMessage", {"message": MESSAGE}), code)
    body = json.dumps({"message": MESSAGE}).encode()
    check_rest(await ask(app, "POST", "/message:send", body), status, reason)


@pytest.mark.parametrize("body", [DEEP * 3, rpc({"message": MESSAGE | {"parts": [{"data": [[]] * 10_000}]}})])
async def test_hostile_json_costs_bounded_time(app, body):
    start = time.process_time()
    await ask(app, "POST", "/", body)
    assert time.process_time() - start < 0.5
