"""What a real agent says to requests that are well-formed and wrong, in both bindings."""

import json
from collections.abc import AsyncIterator
from urllib.parse import urlencode

import pytest

from dragoman import Agent, Limits
from dragoman.model import UnauthenticatedError
from dragoman.security import Credentials, Principal
from tests.unit.server.asgi import RPC_HEADERS, Answer, ask, call

BINDINGS = pytest.mark.parametrize("binding", ["JSONRPC", "HTTP+JSON"])
REST = {
    "SendMessage": ("POST", "/message:send"),
    "SendStreamingMessage": ("POST", "/message:stream"),
    "GetTask": ("GET", "/tasks/{id}"),
    "ListTasks": ("GET", "/tasks"),
    "CancelTask": ("POST", "/tasks/{id}:cancel"),
    "SubscribeToTask": ("POST", "/tasks/{id}:subscribe"),
}


async def recognise(credentials: Credentials) -> Principal:
    name = credentials.headers.get("authorization", "").removeprefix("Bearer ")
    if not name:
        raise UnauthenticatedError
    return Principal(subject=name)


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    agent = Agent(
        "Echo", "Says it again", authenticator=recognise, limits=Limits(max_parts=3, max_id_length=40)
    )

    @agent.skill
    async def echo(text: str) -> str:
        """Say it again."""
        return text

    yield agent
    await agent.stop()


async def perform(agent: Agent, binding: str, method: str, params: dict, *, caller: str = "ada") -> Answer:
    headers = RPC_HEADERS | {"authorization": f"Bearer {caller}"}
    if binding == "JSONRPC":
        return await call(agent, method, params, headers=headers)
    verb, path = REST[method]
    target = path.format(**params)
    rest = {name: value for name, value in params.items() if f"{{{name}}}" not in path}
    if verb == "GET":
        return await ask(agent, verb, f"{target}?{urlencode(rest)}", headers=headers)
    return await ask(agent, verb, target, json.dumps(rest).encode(), headers)


def refusal_of(answer: Answer) -> tuple[str, list[str]]:
    """The reason, and the fields to blame."""
    error = answer.json()["error"]
    info, *others = error.get("data") or error["details"]
    return info["reason"], [entry["field"] for other in others for entry in other.get("fieldViolations", [])]


def message(**members: object) -> dict:
    return {"message": {"messageId": "m1", "role": "ROLE_USER", "parts": [{"text": "hello"}]} | members}


async def make_task(agent: Agent) -> dict:
    return (await perform(agent, "JSONRPC", "SendMessage", message())).json()["result"]["task"]


@BINDINGS
@pytest.mark.parametrize("method", ["GetTask", "CancelTask", "SubscribeToTask"])
async def test_an_unknown_task_and_that_of_another_look_alike(agent, binding, method):
    task = await make_task(agent)
    unknown = await perform(agent, binding, method, {"id": "nothing"})
    foreign = await perform(agent, binding, method, {"id": task["id"]}, caller="eve")
    assert refusal_of(unknown) == refusal_of(foreign) == ("TASK_NOT_FOUND", [])
    assert unknown.body == foreign.body


@BINDINGS
@pytest.mark.parametrize("method", ["SendMessage", "SendStreamingMessage"])
async def test_a_message_to_an_unknown_task_is_refused(agent, binding, method):
    answer = await perform(agent, binding, method, message(taskId="nothing"))
    assert refusal_of(answer)[0] == "TASK_NOT_FOUND"


@BINDINGS
@pytest.mark.parametrize("method", ["SendMessage", "SendStreamingMessage"])
async def test_a_task_that_has_ended_takes_no_message(agent, binding, method):
    task = await make_task(agent)
    answer = await perform(agent, binding, method, message(taskId=task["id"]))
    assert refusal_of(answer)[0] == "UNSUPPORTED_OPERATION"


@BINDINGS
@pytest.mark.parametrize(
    "method, reason", [("CancelTask", "TASK_NOT_CANCELABLE"), ("SubscribeToTask", "UNSUPPORTED_OPERATION")]
)
async def test_a_task_that_has_ended_stays_as_it_is(agent, binding, method, reason):
    task = await make_task(agent)
    assert refusal_of(await perform(agent, binding, method, {"id": task["id"]}))[0] == reason


@BINDINGS
async def test_a_context_that_is_not_the_tasks_is_refused(agent, binding):
    task = await make_task(agent)
    answer = await perform(agent, binding, "SendMessage", message(taskId=task["id"], contextId="other"))
    assert refusal_of(answer)[0] in ("INVALID_PARAMS", "UNSUPPORTED_OPERATION")


@BINDINGS
@pytest.mark.parametrize(
    "params, field",
    [
        ({"pageToken": "nonsense"}, "pageToken"),
        ({"pageToken": "é" * 1_000}, "pageToken"),
        ({"pageSize": 0}, "pageSize"),
        ({"pageSize": -1}, "pageSize"),
        ({"pageSize": 101}, "pageSize"),
        ({"historyLength": -5}, "historyLength"),
    ],
)
async def test_a_page_out_of_range_is_refused(agent, binding, params, field):
    assert refusal_of(await perform(agent, binding, "ListTasks", params)) == ("INVALID_PARAMS", [field])


@BINDINGS
@pytest.mark.parametrize(
    "members, field",
    [
        ({"parts": [{"text": "x"}] * 4}, "message.parts"),
        ({"messageId": "x" * 41}, "message.messageId"),
        ({"contextId": "x" * 41}, "message.contextId"),
    ],
)
async def test_a_message_beyond_the_limits_is_refused(agent, binding, members, field):
    assert refusal_of(await perform(agent, binding, "SendMessage", message(**members))) == (
        "INVALID_PARAMS",
        [field],
    )


@BINDINGS
async def test_a_stranger_learns_nothing(agent, binding):
    task = await make_task(agent)
    answer = await perform(agent, binding, "GetTask", {"id": task["id"]}, caller="")
    assert (answer.status, refusal_of(answer)[0]) == (401, "UNAUTHENTICATED")
