"""Webhooks are told what the log says: at least once, in order, with back-off, and off the path of replies (I9)."""

import asyncio
import json
from datetime import timedelta

import pytest

from dragoman.bus import LocalBus
from dragoman.engine import DeliveryError, DeliveryPolicy, Limits, Turn
from dragoman.engine.delivery import TOKEN_HEADER
from dragoman.model import AuthenticationInfo, TaskPushNotificationConfig, UnavailableError
from tests.unit.engine.kit import (
    COMPLETED,
    WORKING,
    Host,
    MovableClock,
    Receiver,
    Stage,
    Vault,
    nothing,
    question,
    serving,
    turns,
    until,
    write,
)
from tests.unit.engine.test_pushing import Configs, hook

SECOND = timedelta(seconds=1)


async def work(turn: Turn) -> None:
    write(turn, "Hello, ")
    await turns(3)
    write(turn, "world", append=True)


def kinds(receiver: Receiver) -> list[str]:
    return [next(iter(json.loads(body))) for _, _, body in receiver.got]


def told_states(receiver: Receiver) -> list[str]:
    found = []
    for _, _, body in receiver.got:
        event = json.loads(body)
        status = event.get("task", event.get("statusUpdate", {})).get("status")
        if status:
            found.append(status["state"].removeprefix("TASK_STATE_"))
    return found


async def behind(host: Host) -> list:
    return list(await host.store.due_push("agent", 2**52, 0, 100))


async def until_told(host: Host) -> None:
    """Until no webhook is behind."""
    async with asyncio.timeout(5):
        while await behind(host):
            host.bus.ring("push")
            await asyncio.sleep(0)


async def test_a_webhook_that_came_with_the_message_is_told_from_the_first_event_on():
    receiver = Receiver()
    async with serving(work, sender=receiver) as host:
        await host.send(push=hook(token="t0k", authentication=None))
        await until_told(host)
        assert kinds(receiver) == ["task", "statusUpdate", "artifactUpdate", "artifactUpdate", "statusUpdate"]
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]
        urls = {url for url, _, _ in receiver.got}
        assert urls == {"https://hook.example/x"}
        assert {headers["Content-Type"] for _, headers, _ in receiver.got} == {"application/a2a+json"}
        assert {headers[TOKEN_HEADER] for _, headers, _ in receiver.got} == {"t0k"}
        assert "origin" not in json.loads(receiver.got[0][2])


async def test_credentials_are_sent_as_they_were_given():
    receiver = Receiver()
    async with serving(nothing, sender=receiver) as host:
        secret = AuthenticationInfo(scheme="Bearer", credentials="s3cret")
        await host.send(push=hook(authentication=secret))
        await until_told(host)
        assert {headers["Authorization"] for _, headers, _ in receiver.got} == {"Bearer s3cret"}
        receiver.got.clear()
        await host.send(push=hook(authentication=AuthenticationInfo(scheme="Bearer")))
        await until_told(host)
        assert all("Authorization" not in headers for _, headers, _ in receiver.got)
        assert all(TOKEN_HEADER not in headers for _, headers, _ in receiver.got)


async def test_a_webhook_made_later_is_told_of_what_comes_later():
    receiver = Receiver()
    stage = Stage()
    async with serving(stage, sender=receiver) as host:
        task = await host.begin()
        await host.reached(task.id, WORKING)
        await Configs(host).create(hook(task.id))
        stage.go.set()
        await host.ended(task.id)
        await until_told(host)
        assert told_states(receiver) == ["COMPLETED"]


async def test_a_webhook_that_came_with_a_later_message_is_told_of_what_comes_later():
    receiver = Receiver()

    async def ask(turn: Turn) -> None:
        await turn.ask(question(turn, "?"))

    async with serving(ask, sender=receiver) as host:
        task = await host.send()
        await host.send(task_id=task.id, push=hook())
        await until_told(host)
        assert told_states(receiver) == ["WORKING", "COMPLETED"]


async def test_entries_that_no_stream_shows_are_passed_over():
    receiver = Receiver()
    stage = Stage()
    async with serving(stage, sender=receiver) as host:
        task = await host.begin(push=hook())
        await host.reached(task.id, WORKING)
        await host.begin("one", task_id=task.id)
        await host.begin("two", task_id=task.id)
        await until_told(host)
        assert kinds(receiver) == ["task", "statusUpdate"]
        assert await behind(host) == []
        stage.go.set()
        await host.ended(task.id)
        await until_told(host)
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_a_failing_webhook_is_tried_again_in_order_with_growing_pauses():
    receiver, clock = Receiver(), MovableClock()
    receiver.failing = 4
    policy = DeliveryPolicy(first_pause=SECOND, longest_pause=4 * SECOND)
    async with serving(work, sender=receiver, clock=clock, delivery=policy) as host:
        await host.send(push=hook())
        pauses = []
        for attempt in range(1, 5):
            [push] = await _settled(host, attempt)
            assert receiver.attempts == attempt
            assert push.attempts == attempt
            assert push.last_error == "connection refused"
            pauses.append(push.next_attempt_at - clock.now.millis)
            host.bus.ring("push")
            await turns()
            assert receiver.attempts == attempt
            clock.advance(timedelta(milliseconds=pauses[-1] - 1))
            host.bus.ring("push")
            await turns()
            assert receiver.attempts == attempt
            clock.advance(timedelta(milliseconds=1))
            host.bus.ring("push")
        for pause, longest in zip(pauses, (1, 2, 4, 4), strict=True):
            assert longest * 500 <= pause <= longest * 1_000
        await until_told(host)
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]
        assert len(receiver.got) == 5


async def _settled(host: Host, attempts: int) -> list:
    """The webhooks that are behind, once so many attempts are on record."""
    async with asyncio.timeout(5):
        while not (pushes := await behind(host)) or pushes[0].attempts != attempts:
            await turns(1)
    return pushes


async def test_a_failure_in_the_middle_keeps_what_was_told_and_goes_on_from_there():
    receiver, clock = Receiver(), MovableClock()
    policy = DeliveryPolicy(first_pause=SECOND)
    calls = 0

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        nonlocal calls
        calls += 1
        receiver.failing = calls == 3
        await receiver(url, headers, body)

    async with serving(work, sender=sender, clock=clock, delivery=policy) as host:
        await host.send(push=hook())
        await _settled(host, 1)
        clock.advance(SECOND)
        await until_told(host)
        bodies = [body for _, _, body in receiver.got]
        assert len(bodies) == len(set(bodies)) == 5
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_a_webhook_that_has_failed_for_too_long_is_dead():
    receiver, clock = Receiver(), MovableClock()
    receiver.failing = 1_000
    policy = DeliveryPolicy(first_pause=SECOND, longest_pause=SECOND, give_up_after=timedelta(seconds=10))
    stage = Stage()
    async with serving(stage, sender=receiver, clock=clock, delivery=policy) as host:
        task = await host.begin(push=hook(config_id="p"))
        await host.reached(task.id, WORKING)
        async with asyncio.timeout(5):
            while await behind(host):
                clock.advance(SECOND)
                host.bus.ring("push")
                await turns(3)
        attempts = receiver.attempts
        assert attempts >= 10
        receiver.failing = 0
        stage.go.set()
        await host.ended(task.id)
        clock.advance(timedelta(days=1))
        host.bus.ring("push")
        await turns()
        assert receiver.attempts == attempts
        await Configs(host).create(hook(task.id, "p"))  # a new one has a clean record
        assert await behind(host) == []


async def test_nothing_is_sent_after_a_webhook_was_deleted():
    receiver, clock = Receiver(), MovableClock()
    receiver.failing = 1
    stage = Stage()
    async with serving(stage, sender=receiver, clock=clock) as host:
        task = await host.begin(push=hook(config_id="p"))
        await _settled(host, 1)
        await Configs(host).delete(task.id, "p")
        stage.go.set()
        await host.ended(task.id)
        clock.advance(timedelta(days=1))
        host.bus.ring("push")
        await turns()
        assert receiver.got == []


@pytest.mark.parametrize("replaces", [False, True])
async def test_nothing_more_is_sent_when_a_webhook_is_deleted_or_replaced_while_it_is_served(replaces: bool):
    receiver, clock = Receiver(), MovableClock()
    receiver.failing = 1
    hosts: list[Host] = []

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        await receiver(url, headers, body)
        if len(receiver.got) == 1:
            configs, task_id = Configs(hosts[0]), json.loads(body)["task"]["id"]
            if replaces:
                await configs.create(hook(task_id, "p", "https://new.example"))
            else:
                await configs.delete(task_id, "p")

    async with serving(nothing, sender=sender, clock=clock) as host:
        hosts.append(host)
        await host.send(push=hook(config_id="p"))
        [push] = await _settled(host, 1)
        assert (push.cursor, push.last_seq) == (0, 3)  # three events wait to be told at once
        clock.advance(timedelta(minutes=1))
        await until_told(host)
        await turns()
        assert told_states(receiver) == ["SUBMITTED"]


async def test_a_ring_that_is_lost_costs_a_webhook_only_time(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("dragoman.engine.delivery._LOOK_EVERY", timedelta(milliseconds=1))
    receiver = Receiver()

    class Deaf(LocalBus):
        def ring(self, topic: str) -> None:
            """Nobody hears it."""

    async with serving(nothing, sender=receiver, bus=Deaf()) as host:
        await host.send(push=hook())
        await until(lambda: told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"])


async def test_each_webhook_of_a_task_has_a_position_of_its_own():
    good, bad = Receiver(), Receiver()
    bad.failing = 2

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        await (bad if "bad" in url else good)(url, headers, body)

    clock = MovableClock()
    async with serving(work, sender=sender, clock=clock) as host:
        task = await host.begin(push=hook(url="https://bad.example"))
        await Configs(host).create(hook(task.id, url="https://good.example"))
        await host.ended(task.id)
        await until(lambda: told_states(good)[-1:] == ["COMPLETED"])
        assert bad.got == []
        while await behind(host):
            clock.advance(timedelta(minutes=1))
            await turns(3)
            host.bus.ring("push")
        assert told_states(bad) == ["SUBMITTED", "WORKING", "COMPLETED"]


@pytest.mark.parametrize(
    "error",
    [ValueError("bad header"), TimeoutError(), DeliveryError(""), OSError("gone"), RuntimeError("bug")],
    ids=lambda error: type(error).__name__,
)
async def test_a_sender_that_breaks_in_any_way_is_a_failed_attempt(error: Exception):
    receiver, clock = Receiver(), MovableClock()
    receiver.failing, receiver.error = 1, error
    async with serving(work, sender=receiver, clock=clock) as host:
        await host.send(push=hook())
        [push] = await _settled(host, 1)
        assert push.last_error != ""
        host.bus.ring("push")
        await turns()
        assert receiver.attempts == 1
        clock.advance(timedelta(minutes=1))
        await until_told(host)
        assert told_states(receiver)[-1] == "COMPLETED"


async def test_a_sender_that_hangs_is_given_up():
    hangs = asyncio.Event()

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        await hangs.wait()

    policy = DeliveryPolicy(attempt_timeout=timedelta(milliseconds=1))
    async with serving(work, sender=sender, delivery=policy) as host:
        await host.send(push=hook())
        [push] = await _settled(host, 1)
        assert push.last_error == "no answer within 0:00:00.001000"


async def test_a_slow_webhook_delays_no_reply():
    hangs = asyncio.Event()

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        await hangs.wait()

    async with serving(work, sender=sender) as host:
        assert (await host.send(push=hook())).state is COMPLETED


async def test_no_more_webhooks_than_allowed_are_served_at_once():
    serving_now: set[object] = set()
    most = 0
    go = asyncio.Event()
    receiver = Receiver()

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        nonlocal most
        now = object()
        serving_now.add(now)
        most = max(most, len(serving_now))
        await go.wait()
        serving_now.discard(now)
        await receiver(url, headers, body)

    policy = DeliveryPolicy(max_concurrent=3, max_batch=1)
    async with serving(nothing, sender=sender, delivery=policy) as host:
        for _ in range(12):
            await host.begin(push=hook())
        await until(lambda: len(serving_now) == 3)
        host.bus.ring("push")
        await turns()
        go.set()
        await until_told(host)
        assert most == 3
        assert len(receiver.got) == 36


async def test_a_record_that_cannot_be_kept_does_not_have_everything_told_again_and_again(
    caplog: pytest.LogCaptureFixture,
):
    receiver, store, clock = Receiver(), Vault(), MovableClock()
    record, records = store.record_push, 0

    async def fail_to_record(*args: object) -> None:
        nonlocal records
        records += 1
        raise UnavailableError

    store.record_push = fail_to_record  # type: ignore[method-assign,assignment]
    policy = DeliveryPolicy(first_pause=timedelta(milliseconds=20))
    async with serving(nothing, sender=receiver, store=store, clock=clock, delivery=policy) as host:
        await host.send(push=hook())
        await until(lambda: records == 1)
        for _ in range(10):
            clock.advance(timedelta(minutes=2))  # whatever lease there is runs out
            host.bus.ring("push")
            await turns(3)
        assert records == 1
        assert "the store does not answer" in caplog.text
        store.record_push = record  # type: ignore[method-assign]
        clock.advance(timedelta(minutes=2))
        await until_told(host)
        assert told_states(receiver)[-3:] == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_webhooks_wait_for_a_store_that_does_not_answer(caplog: pytest.LogCaptureFixture):
    receiver, store = Receiver(), Vault()
    due_push, asked = store.due_push, 0

    async def fail_to_answer(*args: object) -> None:
        nonlocal asked
        asked += 1
        raise UnavailableError

    store.due_push = fail_to_answer  # type: ignore[method-assign, assignment]
    async with serving(nothing, sender=receiver, store=store) as host:
        await host.send(push=hook())
        await until(lambda: asked)
        assert "webhooks are served when it does" in caplog.text
        store.due_push = due_push  # type: ignore[method-assign]
        await until_told(host)
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_a_slow_receiver_does_not_keep_its_webhook_beyond_the_lease():
    """Else another process would begin to tell it the same."""
    receiver, clock = Receiver(), MovableClock()
    receiver.failing = 1
    asked: list[int] = []

    async def sender(url: str, headers: dict[str, str], body: bytes) -> None:
        clock.advance(timedelta(seconds=20))
        await receiver(url, headers, body)

    async with serving(work, sender=sender, clock=clock) as host:
        due_push = host.store.due_push

        async def count(agent: str, now: int, until: int, limit: int):
            found = await due_push(agent, now, until, limit)
            asked.extend(until for _ in found)
            return found

        host.store.due_push = count
        await host.send(push=hook())
        [push] = await _settled(host, 1)
        clock.advance(timedelta(minutes=1))
        host.bus.ring("push")
        begun: list[int] = []
        while len(receiver.got) < push.last_seq:
            await turns(1)
            if len(receiver.got) > len(begun):
                begun.append(clock.now.millis - 20_000)
                assert begun[-1] + 30_000 <= asked[-1]
        await until_told(host)
        assert len(receiver.got) == push.last_seq
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_a_webhook_goes_on_where_it_was_when_the_next_process_takes_over():
    receiver, store, clock = Receiver(), Vault(), MovableClock()
    receiver.failing = 1
    async with serving(work, sender=receiver, store=store, clock=clock) as host:
        await host.send(push=hook())
        await _settled(host, 1)
    clock.advance(timedelta(minutes=1))
    async with serving(work, sender=receiver, store=store, clock=clock) as host:
        await until_told(host)
        assert told_states(receiver) == ["SUBMITTED", "WORKING", "COMPLETED"]


async def test_a_long_log_is_told_in_batches():
    receiver = Receiver()

    async def chatter(turn: Turn) -> None:
        for number in range(100):
            write(turn, f"{number} ", append=True)

    policy = DeliveryPolicy(max_batch=7)
    async with serving(chatter, sender=receiver, delivery=policy, limits=Limits()) as host:
        await host.send(push=hook())
        await until_told(host)
        assert len(receiver.got) == 103
        assert kinds(receiver)[-1] == "statusUpdate"


def test_pauses_double_up_to_the_longest_with_jitter():
    policy = DeliveryPolicy(first_pause=SECOND, longest_pause=timedelta(minutes=1))
    for attempts in range(1, 200):
        longest = min(timedelta(minutes=1), SECOND * 2 ** min(attempts - 1, 30))
        assert longest / 2 <= policy.pause(attempts) <= longest


async def test_the_configuration_that_was_sent_along_names_the_task_when_it_is_read():
    async with serving(nothing, sender=Receiver()) as host:
        task = await host.send(push=TaskPushNotificationConfig(url="https://x.example", task_id="odd"))
        [config] = await Configs(host).list(task.id)
        assert config.task_id == task.id
