# ruff: noqa: T201 -- the counts are what is asked for
"""One key, a hundred sends at once, two processes on one store: one task, and a hundred times the same answer."""

import asyncio

import aiohttp
import pytest

from dragoman.store import open_store
from tests.chaos.findings import read_effects, read_logs
from tests.chaos.victim import serving

pytestmark = pytest.mark.slow

SENDS = 100
ROUNDS = 5
HEADERS = {"A2A-Version": "1.0", "Content-Type": "application/json"}


def make_request(number: int, *, is_hasty: bool) -> dict[str, object]:
    return {
        "message": {"messageId": f"message-{number}", "role": "ROLE_USER", "parts": [{"text": "Ada"}]},
        "configuration": {"returnImmediately": is_hasty},
        "metadata": {"skill": "steps"},
    }


async def send(
    http: aiohttp.ClientSession, url: str, key: str, request: dict[str, object]
) -> dict[str, object]:
    headers = {**HEADERS, "Idempotency-Key": key}
    async with http.post(f"{url}/message:send", json=request, headers=headers) as reply:
        answer = await reply.json(content_type=None)
        assert reply.status == 200, answer
        found: dict[str, object] = answer["task"]
        return found


@pytest.mark.parametrize("is_hasty", [False, True], ids=["blocking", "immediate"])
async def test_a_hundred_sends_of_one_key_make_one_task(tmp_path, is_hasty):
    async with (
        serving(tmp_path) as one,
        serving(tmp_path) as other,
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http,
    ):
        tasks: list[dict[str, object]] = []
        equal = 0
        for number in range(ROUNDS):
            request = make_request(number, is_hasty=is_hasty)
            async with asyncio.TaskGroup() as group:
                sends = [
                    group.create_task(send(http, (one, other)[index % 2].url, f"key-{number}", request))
                    for index in range(SENDS)
                ]
            answers = [sent.result() for sent in sends]
            assert len({str(answer["id"]) for answer in answers}) == 1
            if not is_hasty:
                assert all(answer == answers[0] for answer in answers)
                equal += len(answers)
            tasks.append(answers[0])
    async with open_store(f"sqlite:///{one.database}") as store:
        logs = await read_logs(store, "Mill")
    assert logs.keys() == {str(task["id"]) for task in tasks}
    effects = read_effects(one.effects)
    assert all(len(traces) == 1 for key, traces in effects.items())
    print(
        f"{ROUNDS} keys, {ROUNDS * SENDS} sends to two processes: {len(logs)} tasks, {equal} equal answers,"
        f" {len(effects)} steps done once"
    )
