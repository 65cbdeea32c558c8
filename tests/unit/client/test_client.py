"""Lists, webhooks, targets and the life of a client."""

import asyncio
import gc
import subprocess
import sys
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest

from dragoman.client import Client
from dragoman.client.http import AsgiHttp
from dragoman.model import (
    AuthenticationInfo,
    BadResponse,
    Binding,
    ListTaskPushNotificationConfigsResponse,
    ListTasksRequest,
    ListTasksResponse,
    TaskNotFoundError,
    TaskPushNotificationConfig,
    TaskState,
    wrap_reply,
)
from tests.unit.client.scripted import Reply, ScriptedAgent, gives, interface, make_card, plays, serve, task

BINDINGS = [Binding.JSONRPC, Binding.REST]
CONFIG = TaskPushNotificationConfig(id="p1", task_id="t1", url="https://me.example", token="x")


def page(*ids, following=""):
    return ListTasksResponse(
        tasks=tuple(task(id=name) for name in ids), next_page_token=following, page_size=2, total_size=3
    )


def pages(**by_token):
    async def script(call):
        token = call.request.get("pageToken", "")
        query = call.request.get("query", "")
        return by_token[token or (query.partition("pageToken=")[2] or "first")]

    return script


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_list_goes_over_all_pages(binding):
    agent = ScriptedAgent(ListTasks=pages(first=page("t1", "t2", following="p2"), p2=page("t3")))
    async with Client(agent, bindings=[binding]) as client:
        assert [entry.id async for entry in client.list_tasks()] == ["t1", "t2", "t3"]


async def test_filters_travel():
    agent = ScriptedAgent(ListTasks=gives(page()))
    async with Client(agent) as client:
        listing = client.list_tasks(
            context="c1",
            status=TaskState.WORKING,
            after=datetime(2026, 1, 2, tzinfo=UTC),
            history_length=0,
            include_artifacts=True,
            page_size=7,
        )
        assert [entry async for entry in listing] == []
    assert agent.of("ListTasks")[0].request == {
        "contextId": "c1",
        "status": "TASK_STATE_WORKING",
        "pageSize": 7,
        "historyLength": 0,
        "statusTimestampAfter": "2026-01-02T00:00:00.000Z",
        "includeArtifacts": True,
    }


async def test_a_list_that_goes_in_a_circle_is_a_bad_response():
    agent = ScriptedAgent(ListTasks=gives(page("t1", following="p2")))
    async with Client(agent) as client:
        with pytest.raises(BadResponse, match=r"'p2'"):
            _ = [entry async for entry in client.list_tasks()]


async def test_one_page_tells_of_the_others():
    agent = ScriptedAgent(ListTasks=gives(page("t1", following="p2")))
    async with Client(agent) as client:
        found = await client.list_page(ListTasksRequest(page_size=1))
    assert (found.next_page_token, found.total_size) == ("p2", 3)


@pytest.mark.parametrize("binding", BINDINGS)
async def test_webhooks_are_created_read_listed_and_deleted(binding):
    agent = ScriptedAgent(
        CreateTaskPushNotificationConfig=gives(CONFIG),
        GetTaskPushNotificationConfig=gives(CONFIG),
        ListTaskPushNotificationConfigs=pages(
            first=ListTaskPushNotificationConfigsResponse(configs=(CONFIG,), next_page_token="p2"),
            p2=ListTaskPushNotificationConfigsResponse(configs=(CONFIG,)),
        ),
        DeleteTaskPushNotificationConfig=gives(None),
    )
    async with Client(agent, bindings=[binding]) as client:
        authentication = AuthenticationInfo(scheme="Bearer", credentials="y")
        made = await client.create_push_config(
            "t1", "https://me.example", token="x", authentication=authentication
        )
        assert made == CONFIG
        assert await client.get_push_config("t1", "p1") == CONFIG
        assert [entry async for entry in client.list_push_configs("t1")] == [CONFIG, CONFIG]
        await client.delete_push_config("t1", "p1")
    sent = agent.of("CreateTaskPushNotificationConfig")[0].request
    assert (sent["url"], sent["token"], sent["authentication"]["scheme"]) == (
        "https://me.example",
        "x",
        "Bearer",
    )


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(204),
        Reply(200, b""),
        Reply(200, b"{}"),
        Reply(200, b'{"jsonrpc":"2.0","id":1,"result":null}'),
        Reply(200, b'{"jsonrpc":"2.0","id":1,"result":{}}'),
    ],
)
async def test_every_way_to_say_that_a_webhook_is_gone(binding, reply):
    if binding is Binding.JSONRPC and reply.body == b"{}":
        pytest.skip("not an answer of JSON-RPC")
    agent = ScriptedAgent(DeleteTaskPushNotificationConfig=gives(reply))
    async with Client(agent, bindings=[binding]) as client:
        await client.delete_push_config("t1", "p1")


@pytest.mark.parametrize("binding", BINDINGS)
async def test_the_inline_webhook_of_a_send_names_no_task(binding):
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(task())))
    async with Client(agent, bindings=[binding]) as client:
        await client.send("hi", push=TaskPushNotificationConfig(url="https://me.example"), history_length=2)
    assert agent.of("SendMessage")[0].request["configuration"] == {
        "taskPushNotificationConfig": {"url": "https://me.example"},
        "historyLength": 2,
    }


@pytest.mark.parametrize("id", ["a/b", "a:cancel", "ä b", "..", "a%2Fb", "?x=1"])
async def test_any_id_survives_the_path(id):
    agent = ScriptedAgent(GetTask=gives(task(id=id)))
    async with serve(agent) as url:
        agent.card = make_card(supported_interfaces=(interface("HTTP+JSON", "/rest", url=url),))
        async with Client(url) as client:
            assert (await client.get_task(id)).id == id
    assert unquote(agent.of("GetTask")[0].path) == f"/tasks/{id}"


async def test_a_client_works_without_being_entered_and_can_be_closed_twice():
    agent = ScriptedAgent(GetTask=gives(task()))
    client = Client(agent)
    assert await client.get_task("t1") == task()
    await client.close()
    await client.close()


async def test_a_client_that_is_not_closed_says_so():
    async with serve(ScriptedAgent()) as url:
        client = Client(url)
        await client.card()
        http = client._http
        with pytest.warns(ResourceWarning, match=r"was not closed: use 'async with'"):
            client.__del__()
        await http.close()


async def test_a_client_that_was_not_used_need_not_be_closed():
    client = Client("http://agent.example")
    del client
    gc.collect()


async def test_an_agent_in_process_is_called_without_a_socket():
    agent = ScriptedAgent(GetTask=gives(task()))
    async with Client(agent) as client:
        await client.get_task("t1")
        assert client.url == "http://localhost"
        assert isinstance(client._http, AsgiHttp)


IMPORT = "import sys; import dragoman.client; print(sorted({name.partition('.')[0] for name in sys.modules}))"


def test_importing_the_client_imports_no_server_no_pydantic_and_no_http_library():
    found = subprocess.run([sys.executable, "-c", IMPORT], capture_output=True, text=True, check=True).stdout
    assert {"aiohttp", "pydantic", "starlette", "uvicorn"} & set(eval(found)) == set()


async def test_a_client_that_is_closed_refuses_until_it_is_entered_again():
    client = Client(ScriptedAgent(GetTask=gives(task())))
    await client.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        await client.get_task("t1")
    async with client:
        assert await client.get_task("t1") == task()


async def test_closing_ends_the_streams_that_are_open():
    async def stall(call):
        yield task(TaskState.WORKING)
        await asyncio.Event().wait()

    agent = ScriptedAgent(SendStreamingMessage=stall)
    client = Client(agent)
    stream = client.stream("hi")
    await anext(stream)
    reader = asyncio.create_task(anext(stream))
    await asyncio.sleep(0)
    await client.close()
    with pytest.raises(RuntimeError, match="the client is closed"):
        await reader
    assert agent.open_streams == 0


@pytest.mark.parametrize("call", ["send", "stream", "ask"])
async def test_a_task_is_continued_by_its_id(call):
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(task())), SendStreamingMessage=plays(task()))
    async with Client(agent) as client:
        if call == "stream":
            _ = [event async for event in client.stream("hi", task="t1")]
        else:
            await getattr(client, call)("hi", task="t1")
    assert agent.calls[-1].request["message"]["taskId"] == "t1"


@pytest.mark.parametrize("binding", BINDINGS)
async def test_errors_of_servers_from_before_the_release_are_understood(binding):
    """They sent `application/problem+json` (D-04)."""
    body = b'{"type":"https://a2a-protocol.org/errors/task-not-found","title":"Task not found","status":404}'
    agent = ScriptedAgent(GetTask=gives(Reply(404, body, {"content-type": "application/problem+json"})))
    async with Client(agent, bindings=[binding]) as client:
        with pytest.raises(TaskNotFoundError):
            await client.get_task("t1")
