"""A task of an agent, held by its caller."""

import asyncio
from datetime import timedelta

import pytest

from dragoman.client import Client, TaskHandle
from dragoman.model import (
    AgentCapabilities,
    Message,
    NoTaskError,
    Part,
    TaskNotCancelableError,
    TaskState,
    TimedOut,
    UnsupportedOperationError,
    wrap_reply,
)
from tests.unit.client.scripted import (
    FastWorld,
    ScriptedAgent,
    chunk,
    gives,
    make_card,
    plays,
    says_message,
    status,
    task,
)

WORKING = task(TaskState.WORKING, "Hel")
DONE = task(TaskState.COMPLETED, "Hello")
MUTE = make_card(capabilities=AgentCapabilities())


def open_client(agent):
    return Client(agent, world=FastWorld().world)


async def start(client) -> TaskHandle:
    return await client.start("hi")


async def test_a_send_gives_a_handle_on_the_task():
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(WORKING)))
    async with open_client(agent) as client:
        handle = await start(client)
    assert (handle.id, handle.context_id, handle.state, handle.text) == ("t1", "c1", TaskState.WORKING, "Hel")
    assert handle.task == WORKING
    assert agent.of("SendMessage")[0].request["configuration"] == {"returnImmediately": True}


async def test_a_send_may_be_answered_with_a_message():
    async with open_client(ScriptedAgent(SendMessage=gives(wrap_reply(says_message("hi"))))) as client:
        answer = await client.send("hi")
    assert isinstance(answer, Message)


async def test_a_key_of_the_callers_own_makes_the_same_send_twice_one():
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(WORKING)))
    async with open_client(agent) as client:
        for _ in range(2):
            await client.start("hi", idempotency_key="order-17")
    first, second = agent.of("SendMessage")
    assert first.request == second.request
    assert first.headers["idempotency-key"] == second.headers["idempotency-key"] == "order-17"


async def test_a_start_that_is_answered_with_a_message_says_so():
    async with open_client(ScriptedAgent(SendMessage=gives(wrap_reply(says_message("hi"))))) as client:
        with pytest.raises(NoTaskError, match=r"call it with send\(\) or ask\(\)") as caught:
            await client.start("hi")
    assert caught.value.answer.text == "hi"


async def test_a_handle_is_awaited_by_subscription():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(WORKING, chunk("lo"), status(TaskState.COMPLETED)),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        found = await handle
    assert found.text == "Hello"
    assert handle.state is TaskState.COMPLETED


async def test_a_handle_is_awaited_by_polling():
    agent = ScriptedAgent(MUTE, SendMessage=gives(wrap_reply(WORKING)), GetTask=gives(WORKING, DONE))
    async with open_client(agent) as client:
        assert (await (await start(client))).text == "Hello"
    assert len(agent.of("GetTask")) == 2


async def test_a_task_that_has_ended_is_not_asked_after():
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(DONE)))
    async with open_client(agent) as client:
        assert await (await start(client)) == DONE
    assert len(agent.calls) == 2


async def test_a_task_that_ended_in_the_meantime_is_fetched():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=gives(UnsupportedOperationError()),
        GetTask=gives(DONE),
    )
    async with open_client(agent) as client:
        found = await (await start(client))
    assert found.text == "Hello"


async def test_a_task_that_waits_for_the_caller_is_a_result():
    asking = task(TaskState.INPUT_REQUIRED, says="which?")
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(WORKING, status(TaskState.INPUT_REQUIRED, "which?")),
    )
    async with open_client(agent) as client:
        found = await (await start(client))
    assert found.status == asking.status


async def test_iterating_gives_only_what_is_new():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(task(TaskState.WORKING, "Hell"), chunk("o"), status(TaskState.COMPLETED)),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        assert [event async for event in handle] == [chunk("l"), chunk("o"), status(TaskState.COMPLETED)]
    assert handle.text == "Hello"


async def test_a_handle_from_an_id_learns_what_it_is():
    agent = ScriptedAgent(
        SubscribeToTask=plays(WORKING, chunk("lo"), status(TaskState.COMPLETED)), GetTask=gives(DONE)
    )
    async with open_client(agent) as client:
        handle = client.task("t1")
        assert (handle.id, handle.state, handle.text) == ("t1", TaskState.UNSPECIFIED, "")
        assert [event async for event in handle] == [WORKING, chunk("lo"), status(TaskState.COMPLETED)]
        again = client.task("t1")
        assert await again.refresh(history_length=3) == DONE
        assert again.task == DONE
    assert agent.of("GetTask")[0].request == {"id": "t1", "historyLength": 3}


async def test_a_reply_continues_the_task():
    asking = task(TaskState.INPUT_REQUIRED, says="which?")
    agent = ScriptedAgent(SendMessage=gives(wrap_reply(asking), wrap_reply(DONE)))
    async with open_client(agent) as client:
        handle = await start(client)
        assert await handle.reply("that", metadata={"k": 1}) is handle
    assert handle.task == DONE
    request = agent.of("SendMessage")[1].request
    assert (request["message"]["taskId"], request["message"]["contextId"]) == ("t1", "c1")
    assert request["metadata"] == {"k": 1}


async def test_after_a_reply_the_old_question_is_no_result():
    asking = task(TaskState.INPUT_REQUIRED, says="which?")
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(asking), wrap_reply(asking)),
        SubscribeToTask=plays(asking, status(TaskState.WORKING), status(TaskState.COMPLETED)),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        await handle.reply("that", return_immediately=True)
        assert (await handle).state is TaskState.COMPLETED


async def test_a_reply_may_be_answered_with_a_message_or_another_task():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING), wrap_reply(says_message("ok")), wrap_reply(task(id="t2")))
    )
    async with open_client(agent) as client:
        handle = await start(client)
        assert isinstance(await handle.reply("x"), Message)
        other = await handle.reply("x")
    assert isinstance(other, TaskHandle)
    assert (handle.id, other.id) == ("t1", "t2")


async def test_cancel_tells_what_became_of_the_task():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        CancelTask=gives(task(TaskState.CANCELED), TaskNotCancelableError()),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        assert (await handle.cancel(metadata={"why": "bored"})).state is TaskState.CANCELED
        assert handle.state is TaskState.CANCELED
        with pytest.raises(TaskNotCancelableError):
            await handle.cancel()
    assert agent.of("CancelTask")[0].request == {"id": "t1", "metadata": {"why": "bored"}}


async def test_readers_of_one_handle_do_not_disturb_each_other():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(WORKING, chunk("lo"), status(TaskState.COMPLETED)),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        one, two = aiter(handle), aiter(handle)
        assert await anext(one) == await anext(two) == chunk("lo")
        assert [event async for event in one] == [event async for event in two]
    assert one.view.task == two.view.task == handle.task
    assert handle.text == "Hello"


async def test_a_refresh_does_not_disturb_a_reader():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(WORKING, chunk("lo"), status(TaskState.COMPLETED)),
        GetTask=gives(DONE),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        reader = aiter(handle)
        await anext(reader)
        assert await handle.refresh() == DONE
        assert [event async for event in reader] == [status(TaskState.COMPLETED)]
    assert handle.text == "Hello"
    assert reader.view.get_parts("a1") == [Part.of_text("Hel"), Part.of_text("lo")]


async def test_a_reader_that_is_behind_does_not_bring_a_finished_task_back():
    agent = ScriptedAgent(
        SendMessage=gives(wrap_reply(WORKING)),
        SubscribeToTask=plays(WORKING, chunk("lo"), chunk("!"), status(TaskState.COMPLETED)),
        GetTask=gives(DONE),
    )
    async with open_client(agent) as client:
        handle = await start(client)
        reader = aiter(handle)
        await anext(reader)
        await handle.refresh()
        await anext(reader)
        assert handle.state is TaskState.COMPLETED


async def test_a_deadline_leaves_the_task_alone():
    async def stall(call):
        yield WORKING
        await asyncio.Event().wait()

    agent = ScriptedAgent(SendMessage=gives(wrap_reply(WORKING)), SubscribeToTask=stall)
    async with open_client(agent) as client:
        handle = await start(client)
        with pytest.raises(TimedOut):
            await handle.result(deadline=timedelta(milliseconds=30))
    assert not agent.of("CancelTask")
