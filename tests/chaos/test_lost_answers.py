"""An answer that its caller was told is safe, or that lies in the store, reaches its task whatever dies in between (I7)."""

import asyncio
import time
from pathlib import Path

import pytest

from dragoman import Client, Message, Part, TaskState
from dragoman.client import TaskHandle
from dragoman.engine.mailroom import Letter
from dragoman.model import Role
from dragoman.store import Outcome, Scope, open_store
from dragoman.wire import codec
from tests.chaos.victim import serving

pytestmark = pytest.mark.slow


async def leave_answer(database: Path, task_id: str) -> None:
    """What `Posting` does first with an answer that has a key; then its process dies."""
    message = Message(message_id="answer", role=Role.USER, parts=(Part.of_text("plenty"),), task_id=task_id)
    async with open_store(f"sqlite:///{database}") as store:
        outcome = await store.post(
            Scope("Mill", "", ""),
            task_id,
            codec.encode(Letter(message=message)),
            limit=32,
            now=time.time_ns() // 1_000_000,
        )
    assert outcome is Outcome.ACCEPTED


async def test_an_answer_that_was_accepted_right_before_a_kill_is_heard(tmp_path):
    async with serving(tmp_path) as victim, Client(victim.url) as client:
        task = await client.send("apples", skill="ask")
        assert isinstance(task, TaskHandle)
        assert task.state is TaskState.INPUT_REQUIRED
        await victim.kill()
        await leave_answer(victim.database, task.id)
        await victim.start()
        await victim.ready()
        async with asyncio.timeout(5):
            while not (await task.refresh()).state.is_terminal:  # noqa: ASYNC110
                await asyncio.sleep(0.2)
    assert task.text == "you said plenty"
