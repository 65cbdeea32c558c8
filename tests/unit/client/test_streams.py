"""The events of a task, whatever happens to the connection."""

import asyncio
import gc

import pytest

from dragoman.client import Client, Timeout
from dragoman.model import (
    A2AError,
    AgentCapabilities,
    BadResponse,
    Binding,
    InternalError,
    MethodNotFoundError,
    Rejected,
    StreamResponse,
    TaskArtifactUpdateEvent,
    TaskNotFoundError,
    TaskState,
    TimedOut,
    UnavailableError,
    Unreachable,
    UnsupportedOperationError,
    wrap_reply,
)
from dragoman.resilience import Backoff
from tests.unit.client.scripted import (
    Cut,
    FastWorld,
    Reply,
    ScriptedAgent,
    chunk,
    fold,
    gives,
    in_turn,
    interface,
    make_card,
    plays,
    says_message,
    serve,
    status,
    task,
    wait_until,
)

BINDINGS = [Binding.JSONRPC, Binding.REST]

EVENTS = (
    task(TaskState.SUBMITTED),
    status(TaskState.WORKING, "thinking"),
    chunk("Once ", append=False),
    chunk("upon "),
    status(TaskState.WORKING, "writing"),
    chunk("a time"),
    status(TaskState.COMPLETED),
)


def open_client(agent, **options):
    return Client(agent, world=FastWorld().world, **options)


async def read(stream):
    return [event async for event in stream]


def text_of(events):
    """What a reader that prints chunks as they come has printed."""
    return "".join(event.artifact.text for event in events if isinstance(event, TaskArtifactUpdateEvent))


@pytest.mark.parametrize("binding", BINDINGS)
async def test_events_arrive_as_they_were_sent(binding):
    agent = ScriptedAgent(SendStreamingMessage=plays(*EVENTS))
    async with open_client(agent, bindings=[binding]) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_a_message_is_the_whole_stream():
    agent = ScriptedAgent(SendStreamingMessage=plays(says_message("hi")))
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == [says_message("hi")]


async def test_a_last_snapshot_is_delivered():
    agent = ScriptedAgent(SendStreamingMessage=plays(*EVENTS, fold(EVENTS)))
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == [*EVENTS, fold(EVENTS)]


@pytest.mark.parametrize("binding", BINDINGS)
@pytest.mark.parametrize("ending", ["cut", "end"])
@pytest.mark.parametrize("at", range(1, len(EVENTS)))
@pytest.mark.parametrize("ahead", [0, 1, 2])
async def test_a_stream_that_ends_between_events_is_read_on_without_loss_or_repetition(
    binding, ending, at, ahead
):
    """The agent may have gone on by `ahead` events while nobody read."""
    seen = min(at + ahead, len(EVENTS) - 1)
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:at], *([Cut] if ending == "cut" else [])),
        SubscribeToTask=plays(fold(EVENTS[:seen]), *EVENTS[seen:]),
    )
    async with open_client(agent, bindings=[binding]) as client:
        found = await read(client.stream("hi"))
    assert fold(found).status == fold(EVENTS).status
    assert text_of(found) == "Once upon a time"
    if not ahead:
        assert found == list(EVENTS)


@pytest.mark.parametrize("at", range(1, len(EVENTS)))
async def test_with_numbers_the_agent_sends_only_what_is_missing(at):
    """It is told the last number, and may or may not start with a snapshot."""
    numbered = [(event, str(number)) for number, event in enumerate(EVENTS, 1)]

    async def resume(call):
        last = int(call.headers["last-event-id"])
        for pair in numbered[last:]:
            yield pair

    agent = ScriptedAgent(SendStreamingMessage=plays(*numbered[:at], Cut), SubscribeToTask=resume)
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_a_stream_may_break_again_and_again():
    agent = ScriptedAgent(
        SendStreamingMessage=plays(EVENTS[0], Cut),
        SubscribeToTask=in_turn(*((fold(EVENTS[:at]), EVENTS[at], Cut) for at in range(1, len(EVENTS)))),
    )
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_a_task_that_ended_while_nobody_read_is_fetched():
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:4], Cut),
        SubscribeToTask=gives(UnsupportedOperationError("the task has ended")),
        GetTask=gives(fold(EVENTS)),
    )
    async with open_client(agent) as client:
        found = await read(client.stream("hi"))
    assert found == [*EVENTS[:4], chunk("a time"), EVENTS[-1]]


async def test_an_agent_that_cannot_subscribe_is_polled():
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:2], Cut),
        SubscribeToTask=gives(MethodNotFoundError()),
        GetTask=gives(*(fold(EVENTS[:at]) for at in range(2, len(EVENTS) + 1))),
    )
    async with open_client(agent) as client:
        found = await read(client.stream("hi"))
    assert text_of(found) == "Once upon a time"
    assert found[-1] == EVENTS[-1]
    assert len(agent.of("SubscribeToTask")) == 1


async def test_an_agent_that_hangs_up_on_every_subscription_is_polled():
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:2]),
        SubscribeToTask=plays(fold(EVENTS[:2])),
        GetTask=gives(fold(EVENTS)),
    )
    async with open_client(agent) as client:
        found = await read(client.stream("hi"))
    assert fold(found) == fold(EVENTS)
    assert len(agent.of("SubscribeToTask")) == 3


async def test_waits_grow_while_nothing_new_comes():
    world = FastWorld()
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:2]),
        SubscribeToTask=plays(fold(EVENTS[:2])),
        GetTask=gives(fold(EVENTS)),
    )
    async with Client(agent, world=world.world) as client:
        await read(client.stream("hi"))
    assert world.waits == [0.2, 0.4, 0.8, 1.6]


async def test_a_stream_that_breaks_before_the_task_is_known_cannot_be_mended():
    agent = ScriptedAgent(SendStreamingMessage=plays(Cut))
    async with open_client(agent) as client:
        with pytest.raises(Unreachable):
            await read(client.stream("hi"))
    assert len(agent.of("SendStreamingMessage")) == 1


async def test_a_stream_that_ends_before_the_task_is_known_is_no_answer():
    async with open_client(ScriptedAgent(SendStreamingMessage=plays())) as client:
        with pytest.raises(Unreachable, match="before it named a task"):
            await read(client.stream("hi"))


async def test_a_task_that_was_forgotten_meanwhile_is_not_found():
    agent = ScriptedAgent(
        SendStreamingMessage=plays(EVENTS[0], Cut), SubscribeToTask=gives(TaskNotFoundError())
    )
    async with open_client(agent) as client:
        with pytest.raises(TaskNotFoundError):
            await read(client.stream("hi"))


async def test_an_end_at_a_question_is_the_end():
    events = (task(TaskState.WORKING), status(TaskState.INPUT_REQUIRED, "which?"))
    async with open_client(ScriptedAgent(SendStreamingMessage=plays(*events))) as client:
        assert await read(client.stream("hi")) == list(events)


async def test_an_agent_that_keeps_the_stream_open_at_a_question_is_read_on():
    events = (task(TaskState.WORKING), status(TaskState.AUTH_REQUIRED, "log in"), *EVENTS[1:])
    async with open_client(ScriptedAgent(SendStreamingMessage=plays(*events))) as client:
        assert await read(client.stream("hi")) == list(events)


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_error_in_the_middle_is_raised(binding):
    async def script(call):
        yield EVENTS[0]
        raise InternalError("out of paper")

    async with open_client(ScriptedAgent(SendStreamingMessage=script), bindings=[binding]) as client:
        with pytest.raises(InternalError, match="out of paper"):
            await read(client.stream("hi"))


async def test_an_agent_that_is_busy_in_the_middle_is_subscribed_again():
    async def script(call):
        yield EVENTS[0]
        raise UnavailableError

    agent = ScriptedAgent(SendStreamingMessage=script, SubscribeToTask=plays(*EVENTS))
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_an_error_event_that_is_not_of_the_protocol_is_shown():
    agent = ScriptedAgent(SendStreamingMessage=plays(EVENTS[0], b"event: error\ndata: the disk is full\n\n"))
    async with open_client(agent) as client:
        with pytest.raises(Exception, match="the disk is full"):
            await read(client.stream("hi"))


@pytest.mark.parametrize("binding", BINDINGS)
async def test_an_error_instead_of_a_stream_is_raised(binding):
    agent = ScriptedAgent(SendStreamingMessage=gives(TaskNotFoundError()))
    async with open_client(agent, bindings=[binding]) as client:
        with pytest.raises(TaskNotFoundError):
            await read(client.stream("hi"))


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_plain_answer_instead_of_a_stream_is_one_event(binding):
    agent = ScriptedAgent(SendStreamingMessage=gives(StreamResponse(task=task(TaskState.COMPLETED, "x"))))
    async with open_client(agent, bindings=[binding]) as client:
        assert await read(client.stream("hi")) == [task(TaskState.COMPLETED, "x")]


async def test_what_is_not_an_event_is_a_bad_response():
    agent = ScriptedAgent(SendStreamingMessage=plays(b"data: {}\n\n"))
    async with open_client(agent) as client:
        with pytest.raises(BadResponse) as caught:
            await read(client.stream("hi"))
    assert caught.value.url == "http://agent.example/rpc"


async def test_an_agent_without_streams_is_polled():
    agent = ScriptedAgent(
        make_card(capabilities=AgentCapabilities()),
        SendMessage=gives(wrap_reply(EVENTS[0])),
        GetTask=gives(*(fold(EVENTS[:at]) for at in range(2, len(EVENTS) + 1))),
    )
    async with open_client(agent) as client:
        found = await read(client.stream("hi"))
    assert text_of(found) == "Once upon a time"
    assert fold(found).status == fold(EVENTS).status
    assert agent.of("SendMessage")[0].request["configuration"] == {"returnImmediately": True}


async def test_a_card_that_promises_streams_in_vain_costs_one_call():
    agent = ScriptedAgent(
        SendStreamingMessage=gives(UnsupportedOperationError()), SendMessage=gives(wrap_reply(fold(EVENTS)))
    )
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == [fold(EVENTS)]
    refused, sent = agent.calls[-2:]
    assert refused.request["message"] == sent.request["message"]
    assert refused.headers["idempotency-key"] == sent.headers["idempotency-key"]


async def test_a_stream_hangs_up_when_its_loop_is_left():
    """Without `async with` or `aclose`: leaving is enough."""
    left = asyncio.Event()

    async def script(call):
        try:
            yield EVENTS[0]
            await asyncio.Event().wait()
        finally:
            left.set()

    async with serve(ScriptedAgent(SendStreamingMessage=script)) as url, Client(_card_at(url)) as client:
        async for _ in client.stream("hi"):
            break
        gc.collect()
        async with asyncio.timeout(5):
            await left.wait()


def _card_at(url):
    return make_card(supported_interfaces=(interface("JSONRPC", url=url),))


async def test_a_stream_that_somebody_else_closes_ends():
    agent = ScriptedAgent(SendStreamingMessage=_stall)
    async with open_client(agent) as client, asyncio.timeout(5):
        stream = client.stream("hi")
        reader = asyncio.create_task(read(stream))
        await wait_until(lambda: agent.open_streams == 1)
        stream.close()
        assert await reader in ([], [EVENTS[0]])


async def test_a_canceled_reader_hangs_up():
    agent = ScriptedAgent(SendStreamingMessage=_stall)
    async with open_client(agent) as client:
        reader = asyncio.create_task(read(client.stream("hi")))
        await wait_until(lambda: agent.open_streams == 1)
        reader.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reader
        await wait_until(lambda: agent.open_streams == 0)


async def _stall(call):
    yield EVENTS[0]
    await asyncio.Event().wait()


async def test_a_deadline_ends_a_stream():
    async with open_client(ScriptedAgent(SendStreamingMessage=_stall)) as client:
        stream = client.stream("hi", deadline=0.05)
        assert await anext(stream) == EVENTS[0]
        with pytest.raises(TimedOut, match=r"0.05 seconds"):
            await anext(stream)


async def test_a_silent_stream_is_subscribed_anew():
    agent = ScriptedAgent(SendStreamingMessage=_stall, SubscribeToTask=plays(*EVENTS))
    async with open_client(agent, timeout=Timeout(stream_idle_seconds=0.05)) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_an_agent_that_does_not_hang_up_after_the_end_is_left(monkeypatch):
    monkeypatch.setattr("dragoman.client.streams.LINGER_SECONDS", 0.02)

    async def script(call):
        for event in EVENTS:
            yield event
        await asyncio.Event().wait()

    async with open_client(ScriptedAgent(SendStreamingMessage=script)) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_subscribe_starts_with_the_task():
    agent = ScriptedAgent(SubscribeToTask=plays(fold(EVENTS[:3]), *EVENTS[3:]))
    async with open_client(agent) as client:
        assert await read(client.subscribe("t1")) == [fold(EVENTS[:3]), *EVENTS[3:]]


async def test_subscribing_to_a_task_that_has_ended_gives_the_task():
    agent = ScriptedAgent(SubscribeToTask=gives(UnsupportedOperationError()), GetTask=gives(fold(EVENTS)))
    async with open_client(agent) as client:
        assert await read(client.subscribe("t1")) == [fold(EVENTS)]


@pytest.mark.parametrize(
    "refusal",
    [
        Reply(405),
        Reply(404, b"Not Found"),
        TaskNotFoundError("task t1:subscribe not found"),
        TaskNotFoundError(metadata={"taskId": "t1:subscribe"}),
    ],
)
async def test_subscribe_falls_back_to_the_other_verb_and_remembers_it(refusal):
    def script(call):
        return gives(refusal)(call) if call.verb == "POST" else plays(*EVENTS)(call)

    agent = ScriptedAgent(SubscribeToTask=script)
    async with open_client(agent, bindings=[Binding.REST]) as client:
        assert await read(client.subscribe("t1")) == list(EVENTS)
        assert await read(client.subscribe("t1")) == list(EVENTS)
    assert [call.verb for call in agent.of("SubscribeToTask")] == ["POST", "GET", "GET"]


async def test_a_task_that_is_not_there_is_not_asked_for_twice():
    agent = ScriptedAgent(SubscribeToTask=gives(TaskNotFoundError()))
    async with open_client(agent, bindings=[Binding.REST]) as client:
        with pytest.raises(TaskNotFoundError):
            await read(client.subscribe("t1"))
    assert len(agent.of("SubscribeToTask")) == 1


async def test_a_stream_refused_without_a_word_of_a2a_is_rejected():
    agent = ScriptedAgent(SendStreamingMessage=gives(Reply(500, b"oops")))
    async with open_client(agent) as client:
        with pytest.raises(Rejected, match="oops") as caught:
            await read(client.stream("hi"))
    assert caught.value.status == 500


async def test_an_agent_that_is_polled_may_be_away_for_a_while():
    agent = ScriptedAgent(
        make_card(capabilities=AgentCapabilities()),
        SendMessage=gives(wrap_reply(EVENTS[0])),
        GetTask=gives(*[Cut] * 12, fold(EVENTS)),
    )
    async with open_client(agent) as client:
        assert text_of(await read(client.stream("hi"))) == "Once upon a time"


@pytest.mark.parametrize("streaming", [False, True])
async def test_an_agent_that_does_not_come_back_is_given_up(streaming):
    agent = ScriptedAgent(
        make_card(capabilities=AgentCapabilities(streaming=streaming)),
        SendMessage=gives(wrap_reply(EVENTS[0])),
        SendStreamingMessage=plays(EVENTS[0], Cut),
        SubscribeToTask=gives(Cut),
        GetTask=gives(Cut),
    )
    world = FastWorld()
    async with Client(agent, world=world.world) as client:
        with pytest.raises(Unreachable):
            await read(client.stream("hi"))
    assert sum(world.waits) > 30


async def test_a_quiet_task_may_be_polled_through_any_number_of_failures():
    answers = [answer for _ in range(50) for answer in (fold(EVENTS[:2]), *[Cut] * 4)]
    agent = ScriptedAgent(
        make_card(capabilities=AgentCapabilities()),
        SendMessage=gives(wrap_reply(EVENTS[0])),
        GetTask=gives(*answers, fold(EVENTS)),
    )
    async with open_client(agent) as client:
        assert text_of(await read(client.stream("hi"))) == "Once upon a time"


async def test_a_poll_that_is_not_answered_is_a_failure():
    async def stall(call):
        await asyncio.Event().wait()

    agent = ScriptedAgent(
        make_card(capabilities=AgentCapabilities()), SendMessage=gives(wrap_reply(EVENTS[0])), GetTask=stall
    )
    impatient = Backoff(attempts=2)
    async with open_client(
        agent, timeout=Timeout(idle_seconds=0.005), retry=impatient, resubscribe=impatient
    ) as client:
        with pytest.raises(TimedOut):
            await read(client.stream("hi"))


@pytest.mark.parametrize("binding", BINDINGS)
async def test_a_stream_that_ends_inside_an_event_is_read_on(binding):
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*EVENTS[:3], b'data: {"statu'),
        SubscribeToTask=plays(fold(EVENTS[:3]), *EVENTS[3:]),
    )
    async with open_client(agent, bindings=[binding]) as client:
        assert await read(client.stream("hi")) == list(EVENTS)


async def test_an_error_in_the_data_of_a_rest_event_is_raised():
    data = b'data: {"error":{"code":500,"status":"INTERNAL","message":"out of paper"}}\n\n'
    agent = ScriptedAgent(SendStreamingMessage=plays(EVENTS[0], data))
    async with open_client(agent, bindings=[Binding.REST]) as client:
        with pytest.raises(A2AError, match="out of paper"):
            await read(client.stream("hi"))


async def test_a_rest_event_that_is_none_is_a_bad_response():
    agent = ScriptedAgent(SendStreamingMessage=plays(EVENTS[0], b"data: {}\n\n"))
    async with open_client(agent, bindings=[Binding.REST]) as client:
        with pytest.raises(BadResponse):
            await read(client.stream("hi"))


@pytest.mark.parametrize("at", range(1, len(EVENTS)))
async def test_with_numbers_what_an_agent_repeats_is_dropped(at):
    """It starts with a snapshot, and then with what the reader has had."""
    numbered = [(event, str(number)) for number, event in enumerate(EVENTS, 1)]
    agent = ScriptedAgent(
        SendStreamingMessage=plays(*numbered[:at], Cut),
        SubscribeToTask=plays((fold(EVENTS[:at]), str(at)), *numbered[1 : at - 1], *numbered[at:]),
    )
    async with open_client(agent) as client:
        assert await read(client.stream("hi")) == list(EVENTS)
