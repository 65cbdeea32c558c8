"""The load generator against small servers, and the command that uses it."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import pytest

from benchmarks.contestants import ALL, BY_NAME
from benchmarks.contestants.environments import ROOT
from benchmarks.load.connection import BadAnswer, connect
from benchmarks.load.loops import Stamp, pace, saturate
from benchmarks.load.requests import ID, build
from benchmarks.workloads.steady import WORKLOADS

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CARD = replace(build("card", "1.0"), marker=b"hello")
STREAM = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@asynccontextmanager
async def answering(*pieces, pause=0.0, connections=1):
    """Connections to a server that says these pieces to each request, one write each."""
    writers = []

    async def talk(reader, writer):
        writers.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await reader.readuntil(b"\r\n\r\n"):
                for piece in pieces:
                    writer.write(piece)
                    await asyncio.sleep(pause)
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server:
        made = await connect(server.sockets[0].getsockname()[1], connections)
        try:
            yield made
        finally:
            for connection in made:
                connection.close()
            for writer in writers:
                with suppress(ConnectionError):
                    await writer.wait_closed()


async def ask(connection, marker):
    return await connection.ask(CARD.payload, marker)


async def test_an_answer_is_read_to_its_end():
    async with answering(OK[:20], OK[20:60], OK[60:]) as connections:
        assert await ask(connections[0], b"hello") == OK
    assert connections[0].bytes == len(OK)


async def test_an_answer_without_what_a_right_one_has_is_told():
    async with answering(OK) as connections:
        with pytest.raises(BadAnswer, match="goodbye"):
            await ask(connections[0], b"goodbye")


async def test_another_status_is_told():
    async with answering(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n") as connections:
        with pytest.raises(BadAnswer, match="503"):
            await ask(connections[0], b"HTTP")


@pytest.mark.parametrize("width", [1, 3, 7, 1000])
async def test_the_events_of_a_stream_are_counted_however_they_are_cut(width):
    body = b'10\r\ndata: {"a": 1}\n\n\r\n' * 3 + b"0\r\n\r\n"
    whole = STREAM + body
    pieces = [whole[at : at + width] for at in range(0, len(whole), width)]
    async with answering(*pieces, pause=0.0) as connections:
        await ask(connections[0], b'{"a": 1}')
    assert connections[0].events == 3


async def test_a_stream_without_its_last_event_is_told():
    async with answering(STREAM, b"5\r\ndata:\r\n0\r\n\r\n") as connections:
        with pytest.raises(BadAnswer, match="COMPLETED"):
            await ask(connections[0], b"COMPLETED")


async def test_saturation_counts_every_answer():
    async with answering(OK, connections=2) as connections:
        load = await saturate(connections, os.getpid(), CARD, 0.1)
    assert load.answers == len(load.latencies) > 2
    assert load.bytes == load.answers * len(OK)


async def test_a_wrong_answer_ends_the_load():
    async with answering(OK) as connections:
        with pytest.raises(BadAnswer):
            await saturate(connections, os.getpid(), replace(CARD, marker=b"bye"), 5)


async def test_at_a_fixed_rate_a_slow_server_is_charged_for_those_who_wait():
    """It needs 20 ms for each answer and is asked every 10 ms over one connection: the queue grows, and so do the latencies."""
    async with answering(OK[:30], OK[30:], pause=0.01) as connections:
        load = await pace(connections, os.getpid(), CARD, 100, 0.3)
    assert load.answers == 30
    assert load.latencies[-1] > 5 * load.latencies[0]


def test_every_request_has_an_id_of_its_own():
    stamp = Stamp(build("task", "1.0").payload)
    first, second = stamp(), stamp()
    assert first != second
    assert len(first) == len(second)
    assert ID not in first


@pytest.mark.parametrize("contestant", ALL, ids=lambda one: one.name)
def test_every_request_says_how_long_it_is(contestant):
    for workload in WORKLOADS.keys() - contestant.lacks - {"card"}:
        head, _, body = build(workload, contestant.speaks).payload.partition(b"\r\n\r\n")
        assert f"Content-Length: {len(body)}".encode() in head
        json.loads(body)


def test_contestants_have_names_of_their_own():
    assert len(BY_NAME) == len(ALL)
    assert all(one.words and one.app for one in BY_NAME.values())


@pytest.mark.slow
def test_a_quick_run_of_one_workload_finds_figures(tmp_path):
    found = tmp_path / "found.json"
    command = [sys.executable, "-m", "benchmarks", "card", "--quick", "--only", "bare,dragoman"]
    done = subprocess.run(
        [*command, "--json", str(found)], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    rounds = json.loads(found.read_text(encoding="utf-8"))["figures"]["requests"]["card"]
    assert {name: len(one) for name, one in rounds.items()} == {"bare": 1, "dragoman": 1}
    assert rounds["bare"][0]["cpu_us"] > 0
    assert "GET of the card" in done.stdout
