"""Threads call the loop, and are never left waiting."""

import asyncio
import threading

import pytest

from dragoman.agent.portal import Portal, _Ticket
from dragoman.engine import RunEndedError


async def answer() -> int:
    return 42


async def test_a_thread_gets_the_result_of_a_coroutine():
    async with Portal() as portal:
        assert await asyncio.to_thread(portal.call, answer) == 42


async def test_an_error_of_the_block_comes_out_as_it_is():
    with pytest.raises(KeyError):
        async with Portal():
            raise KeyError


async def test_the_thread_of_the_loop_is_refused_instead_of_waiting_for_itself():
    async with Portal() as portal:
        with pytest.raises(RuntimeError, match="in a coroutine, take a Context"):
            portal.call(answer)


async def test_a_closed_portal_refuses():
    async with Portal() as portal:
        pass
    with pytest.raises(RunEndedError):
        await asyncio.to_thread(portal.call, answer)


async def test_a_call_that_was_accepted_but_not_begun_is_refused():
    async with Portal() as portal:
        ticket = _Ticket(answer)
        portal._accept(ticket)
        portal.close()
        with pytest.raises(RunEndedError):
            await asyncio.wrap_future(ticket.result)


def test_a_loop_that_is_gone_refuses():
    async def open_and_close() -> Portal:
        async with Portal() as portal:
            return portal

    portal = asyncio.run(open_and_close())
    refused: list[BaseException] = []

    def call() -> None:
        try:
            portal.call(answer)
        except RunEndedError as error:
            refused.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join(timeout=5)
    assert len(refused) == 1
