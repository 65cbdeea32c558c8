"""What a caller is told when something goes wrong."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.model import (
    A2AError,
    PermissionDeniedError,
    TaskNotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import ERROR_TABLE
from dragoman.security import Principal
from dragoman.server import Service
from tests.unit.server.asgi import RPC_HEADERS, ask, call
from tests.unit.server.fakes import FakeEngine, make_card


def serve(error: BaseException) -> Service:
    return Service(FakeEngine(get_task=error), card=make_card)


@pytest.mark.parametrize("row", ERROR_TABLE, ids=lambda row: row.reason)
async def test_every_error_of_the_table_is_mapped_in_both_bindings(row):
    app = serve(row.error())
    over_rpc = await call(app, "GetTask", {"id": "t1"})
    over_rest = await ask(app, "GET", "/tasks/t1")
    error, status = over_rpc.json()["error"], over_rest.json()["error"]
    assert (error["code"], error["data"][0]["reason"]) == (row.code, row.reason)
    assert (over_rest.status, status["code"], status["status"]) == (
        row.http_status,
        row.http_status,
        row.grpc_status,
    )
    assert status["details"] == error["data"]
    assert over_rpc.json()["id"] == 7
    assert over_rpc.status == (row.http_status if row.http_status in (401, 403, 503) else 200)


async def test_an_unexpected_error_is_a_reference_to_the_log(caplog):
    app = serve(RuntimeError("the password is 1234"))
    for answer in (await call(app, "GetTask", {"id": "t1"}), await ask(app, "GET", "/tasks/t1")):
        assert b"1234" not in answer.body
        error = answer.json()["error"]
        reference = error.get("data", error.get("details"))[0]["metadata"]["ref"]
        assert reference in error["message"]
        assert f"(ref {reference})" in caplog.text
    assert caplog.text.count("RuntimeError: the password is 1234") == 2


async def test_a_cancelled_request_stays_cancelled():
    with pytest.raises(asyncio.CancelledError):
        await call(serve(asyncio.CancelledError()), "GetTask", {"id": "t1"})


async def authenticate(credentials):
    match credentials.headers.get("authorization"):
        case "Bearer good":
            return Principal(subject="ada")
        case "Bearer weak":
            raise PermissionDeniedError("the scope 'tasks' is missing")
        case "Bearer broken":
            raise RuntimeError("the key server is away")
        case _:
            raise UnauthenticatedError(challenge='Bearer realm="agents"')


@pytest.fixture
def guarded(engine):
    return Service(engine, card=make_card, authenticator=authenticate)


@pytest.mark.parametrize("verb, path", [("POST", "/"), ("GET", "/tasks/t1")])
async def test_a_stranger_is_challenged(guarded, engine, verb, path):
    answer = await ask(guarded, verb, path, b"{not even JSON")
    assert (answer.status, answer.headers["www-authenticate"]) == (401, 'Bearer realm="agents"')
    assert engine.calls == []


@pytest.mark.parametrize("token, status", [("weak", 403), ("broken", 500), ("bad", 401)])
async def test_bad_credentials_are_refused(guarded, token, status):
    answer = await ask(
        guarded, "GET", "/tasks/t1", headers={"authorization": f"Bearer {token}"} | RPC_HEADERS
    )
    assert answer.status == status


async def test_two_lines_of_credentials_are_not_one_good_one(guarded):
    lines = [("authorization", "Bearer bad"), ("authorization", "Bearer good"), ("a2a-version", "1.0")]
    assert (await ask(guarded, "GET", "/tasks/t1", headers=lines)).status == 401


async def test_a_known_caller_reaches_the_engine_with_its_tenant(guarded, engine):
    await ask(guarded, "GET", "/acme/tasks/t1", headers={"authorization": "Bearer good"} | RPC_HEADERS)
    assert engine.calls[0][1].principal == Principal(subject="ada", tenant="acme")


async def test_the_public_card_needs_no_credentials(guarded):
    assert (await ask(guarded, "GET", "/.well-known/agent-card.json")).status == 200


@pytest.mark.parametrize("wait, seconds", [(timedelta(milliseconds=1), "1"), (timedelta(seconds=2.1), "3")])
async def test_an_agent_that_is_busy_says_when_to_come_back(wait, seconds):
    app = serve(UnavailableError(retry_after=wait))
    over_rpc, over_rest = await call(app, "GetTask", {"id": "t1"}), await ask(app, "GET", "/tasks/t1")
    assert (over_rpc.status, over_rpc.headers["retry-after"]) == (503, seconds)
    assert (over_rest.status, over_rest.headers["retry-after"]) == (503, seconds)


async def test_an_error_of_an_author_counts_as_its_nearest_relative():
    class Gone(TaskNotFoundError):
        pass

    assert (await ask(serve(Gone()), "GET", "/tasks/t1")).status == 404
    assert (await ask(serve(A2AError("odd")), "GET", "/tasks/t1")).status == 500
