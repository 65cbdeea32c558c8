"""The store does not grow for ever, and an orderly stop lets runs finish (I10)."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from dragoman.engine import Limits, Turn
from dragoman.model import (
    AgentCapabilities,
    AgentExtension,
    ExtensionSupportRequiredError,
    TaskNotFoundError,
    UnavailableError,
)
from tests.unit.engine.kit import (
    ANYONE,
    COMPLETED,
    INPUT_REQUIRED,
    MovableClock,
    Stage,
    Vault,
    nothing,
    question,
    serving,
    turns,
    until,
)


async def ask(turn: Turn) -> None:
    await turn.ask(question(turn, "?"))


async def test_tasks_that_have_ended_are_compacted_and_later_forgotten():
    clock = MovableClock()

    async def work(turn: Turn) -> None:
        if turn.request.message.text == "ask":
            await ask(turn)

    limits = Limits(compact_after=timedelta(hours=1), retention=timedelta(days=1))
    async with serving(work, clock=clock, limits=limits) as host:
        done, waiting = await host.send("work"), await host.send("ask")
        await host.engine._upkeep.tidy()
        assert len(await host.store.read(done.id, 0, 10)) == 3
        clock.advance(timedelta(hours=2))
        await host.engine._upkeep.tidy()
        assert await host.store.read(done.id, 0, 10) == []
        assert await host.get(done.id) == done
        clock.advance(timedelta(days=2))
        await host.engine._upkeep.tidy()
        with pytest.raises(TaskNotFoundError):
            await host.get(done.id)
        assert (await host.get(waiting.id)).state is INPUT_REQUIRED
        assert (await host.send("answer", task_id=waiting.id)).state is COMPLETED


async def test_more_tasks_than_one_page_are_all_tidied_up():
    clock = MovableClock()
    async with serving(nothing, clock=clock) as host:
        for _ in range(450):
            await host.begin()
        await until(lambda: host.is_idle)
        clock.advance(timedelta(days=365))
        await host.engine._upkeep.tidy()
        assert (await host.list()).total_size == 0


async def test_upkeep_goes_on_after_any_error(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr("dragoman.engine.upkeep._PAUSE", timedelta(milliseconds=1))
    store = Vault()
    compact = store.compact
    errors: list[Exception] = [UnavailableError(), OSError("odd")]
    done: list[int] = []

    async def fail_first(*args: object) -> int:
        if errors:
            raise errors.pop(0)
        done.append(1)
        return await compact(*args)  # type: ignore[arg-type]

    store.compact = fail_first  # type: ignore[method-assign, assignment]
    async with serving(nothing, store=store):
        await until(lambda: done)
    assert "old tasks are looked through later" in caplog.text
    assert "could not be looked through" in caplog.text


async def test_draining_waits_for_runs_at_work_and_not_for_those_that_wait():
    stage = Stage()

    async def work(turn: Turn) -> None:
        await (ask(turn) if turn.request.message.text == "ask" else stage(turn))

    async with serving(work) as host:
        await host.send("ask")
        task = await host.begin("work")
        await stage.begun.wait()
        draining = asyncio.create_task(host.engine.drain())
        await turns()
        assert not draining.done()
        stage.go.set()
        await draining
        assert (await host.ended(task.id)).state is COMPLETED
        await host.engine.drain()


async def test_draining_does_not_wait_for_ever(caplog: pytest.LogCaptureFixture):
    stage = Stage()
    async with serving(stage, limits=Limits(drain_timeout=timedelta(milliseconds=2))) as host:
        await host.begin()
        await stage.begun.wait()
        await host.engine.drain()
        assert "1 runs are given up" in caplog.text


async def test_a_required_extension_must_be_named_by_the_caller():
    extension = AgentExtension(uri="urn:x", required=True)
    optional = AgentExtension(uri="urn:y")
    capabilities = AgentCapabilities(streaming=True, extensions=(extension, optional))
    async with serving(nothing, capabilities=capabilities) as host:
        for attempt in (host.send, host.stream, host.list, lambda: host.get("t"), lambda: host.cancel("t")):
            with pytest.raises(ExtensionSupportRequiredError, match="A2A-Extensions: urn:x"):
                await attempt()
        call = replace(ANYONE, extensions=("urn:x",))
        assert (await host.send(call=call)).state is COMPLETED
