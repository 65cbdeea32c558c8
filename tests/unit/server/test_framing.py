"""Events on the wire: what readers share, and what is each one's own."""

import json
from typing import Any

import pytest

from dragoman.engine import StreamItem
from dragoman.engine.batches import Batch
from dragoman.model import Artifact, Part, TaskArtifactUpdateEvent
from dragoman.server import Service
from dragoman.server.framing import CHUNK_BYTES, RESULT_END, RESULT_START, Framing
from dragoman.server.older_streams import OlderFraming
from dragoman.wire import codec
from dragoman.wire.dialects import PROTO, Dialect, dialect_named
from tests.unit.server.asgi import RPC_HEADERS, Answer, ask
from tests.unit.server.fakes import FakeEngine, FakeStream, make_card, make_item

IDS = [1, "1", "seven", None, 7.5, "ü\u2028\0", 'a"b', "x" * 1000]


def piece(seq: int, artifact: str = "a", text: str = "") -> StreamItem:
    content = Artifact(artifact_id=artifact, parts=(Part.of_text(text or str(seq)),))
    return StreamItem(seq, TaskArtifactUpdateEvent(task_id="t", context_id="c", artifact=content))


def frame_result(item: StreamItem) -> bytes:
    return RESULT_START + item.json + RESULT_END


def make_framing(id: Any) -> Framing:
    return Framing("test", frame_result, lambda _: b"", id=codec.encode(id))


def read(chunks: list[bytes]) -> list[Any]:
    return Answer(chunks=chunks).events()


async def subscribe(batches: list[Batch], id: Any, headers: dict[str, str] = RPC_HEADERS) -> Answer:
    """The whole stream of a reader whose engine hands out these batches."""

    class Shared(FakeStream):
        async def batch(self) -> Batch:
            return waiting.pop(0) if waiting else Batch(())

    waiting = [*batches]
    app = Service(FakeEngine(subscribe=Shared()), card=make_card)
    is_old = headers["a2a-version"].startswith("0.")
    method = "tasks/resubscribe" if is_old else "SubscribeToTask"
    body = {"jsonrpc": "2.0", "id": id, "method": method, "params": {"id": "t"}}
    return await ask(app, "POST", "/", json.dumps(body).encode(), headers)


async def test_readers_of_the_same_events_each_get_the_id_of_their_own_call():
    batch = Batch([make_item(1), make_item(2)])
    for own in [*IDS, *reversed(IDS)]:
        answer = await subscribe([batch], own)
        assert [event["id"] for event in answer.events()] == [own, own]
        assert [event["result"]["message"]["messageId"] for event in answer.events()] == ["m1", "m2"]
        assert answer.body.count(b"\n\n") == 2
        assert "\u2028".encode() not in answer.body


@pytest.mark.parametrize("version", ["0.1", "0.2", "0.3"])
async def test_so_do_those_of_older_generations(version):
    batch = Batch([piece(1), piece(2, "b"), piece(3)])
    headers = {**RPC_HEADERS, "a2a-version": version}
    seen: list[Any] = []
    for own in [*IDS, *IDS]:
        events = (await subscribe([batch], own, headers)).events()
        assert [event.pop("id") for event in events] == [own] * 3
        seen.append(events)
    assert all(one == seen[0] for one in seen)


def test_the_bytes_are_made_once_for_those_whose_ids_print_the_same():
    batch = Batch([make_item(1), make_item(2)])
    [first], [other], [second] = (list(make_framing(own).frame(batch)) for own in (1, 1, 2))
    assert first is other
    assert first.replace(b'"id":1', b'"id":2') == second
    assert len(batch.encodings) == 1


def test_a_batch_is_read_once_for_all_of_its_readers():
    batch = Batch([make_item(seq) for seq in range(10)])
    read: list[int] = []

    def frame(item: StreamItem) -> bytes:
        read.append(item.seq)
        return frame_result(item)

    for number in range(100):
        list(Framing("test", frame, lambda _: b"", id=b"%d" % number).frame(batch))
    assert read == list(range(10))


@pytest.mark.parametrize("id", [1, "x" * 1000])
@pytest.mark.parametrize("size", [10, 2_000, 30_000])
def test_a_large_batch_leaves_in_bounded_chunks_whatever_the_id(size, id):
    batch = Batch([make_item(seq, "x" * size) for seq in range(300_000 // size if size > 10 else 1_000)])
    for reader in (2, id, 2):
        chunks = list(make_framing(reader).frame(batch))
        assert [event["id"] for event in read(chunks)] == [reader] * len(batch)
        assert max(map(len, chunks)) <= CHUNK_BYTES
        assert len(chunks) > 1


def test_an_event_larger_than_a_chunk_leaves_in_one_piece():
    batch = Batch([make_item(1), make_item(2, "x" * 100_000), make_item(3)])
    assert [len(read([chunk])) for chunk in make_framing(1).frame(batch)] == [1, 1, 1]


def test_what_looks_like_a_gap_or_a_line_end_stays_what_it_is():
    text = "\0 \u2028 \u0085 \\0 \\u0000"
    chunks = list(make_framing(1).frame(Batch([make_item(1, text)])))
    assert read(chunks)[0]["result"]["message"]["parts"] == [{"text": text}]
    assert b"\0" not in chunks[0]
    assert len(chunks[0].decode().splitlines()) == 2


def test_streams_of_other_names_share_nothing():
    batch = Batch([piece(1)])
    dialects: list[Dialect] = [dialect_named(name) for name in ("0.3", "0.1", PROTO)]
    made = [list(OlderFraming(one, lambda _: b"").frame(batch)) for one in dialects]
    wrapped = list(OlderFraming(dialects[0], lambda _: b"", id=b"1").frame(batch))
    assert len({chunk for chunks in (*made, wrapped) for chunk in chunks}) == 4


def test_a_reader_of_0_1_numbers_artifacts_right_after_events_that_another_one_wrote():
    """The index of an artifact is its place among all that were there."""
    early, late = Batch([piece(1, "a"), piece(2, "b")]), Batch([piece(3, "b"), piece(4, "c")])
    dialect = dialect_named("0.1")
    list(OlderFraming(dialect, lambda _: b"").frame(early))
    second = OlderFraming(dialect, lambda _: b"")
    list(second.frame(early))
    indexes = [event["artifact"]["index"] for event in read(list(second.frame(late)))]
    assert indexes == [1, 2]
