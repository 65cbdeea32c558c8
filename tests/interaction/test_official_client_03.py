"""The official SDK 0.3.26 drives our agent over JSON-RPC, REST and gRPC, over sockets, in an environment of its own."""

import asyncio
import json

import pytest

from dragoman.server import GrpcOptions
from tests.interaction.agents import Parrot
from tests.interaction.peer_process import PYTHON_03, needs_peer_03, run_peer
from tests.interaction.requirements import requirement
from tests.interaction.sockets import serving

pytestmark = [pytest.mark.slow, needs_peer_03]


async def drive(binding):
    async with serving(Parrot(grpc=GrpcOptions(port=0))) as url:
        output = await run_peer("tests.peer.official_client_03", url, binding, python=PYTHON_03)
    lines = [json.loads(line) for line in output.splitlines()]
    return {line["scenario"]: line for line in lines}


@pytest.fixture(scope="module", params=["JSONRPC", "HTTP+JSON", "GRPC"])
def seen(request):
    """What the client saw, by scenario: one run for each binding serves all tests."""
    scenarios = asyncio.run(drive(request.param))

    def get(scenario):
        line = scenarios[scenario]
        assert "error" not in line, line["trace"]
        return line["seen"]

    return get


def texts_of(task):
    return ["".join(part["text"] for part in artifact["parts"]) for artifact in task["artifacts"]]


@requirement("V03-03", "V03-04")
def test_it_reads_our_card(seen):
    card = seen("card")
    assert (card["protocolVersion"], card["preferredTransport"]) == ("0.3.0", "JSONRPC")
    assert {entry["transport"] for entry in card["additionalInterfaces"]} == {
        "JSONRPC",
        "HTTP+JSON",
        "GRPC",
    }
    assert card["url"] in {entry["url"] for entry in card["additionalInterfaces"]}


@requirement("V03-02")
def test_it_sends_and_waits(seen):
    task = seen("send")
    assert (task["kind"], task["status"]["state"]) == ("task", "completed")
    assert texts_of(task) == ["hello"]
    assert task["history"][0]["role"] == "user"


def test_it_gets_a_message_instead_of_a_task(seen):
    message = seen("reply")
    assert (message["kind"], message["parts"]) == ("message", [{"kind": "text", "text": "hello"}])


def test_it_goes_on_with_a_task(seen):
    told = seen("multi_turn")
    assert told["asked"]["status"]["state"] == "input-required"
    assert (told["answered"]["id"], told["answered"]["status"]["state"]) == (
        told["asked"]["id"],
        "completed",
    )


def test_it_streams(seen):
    events = seen("stream")
    assert events[0]["kind"] == "task"
    pieces = [event["artifact"] for event in events if event["kind"] == "artifact-update"]
    assert "".join(part["text"] for piece in pieces for part in piece["parts"]) == "one two three"
    finals = [event["final"] for event in events if event["kind"] == "status-update"]
    assert finals == [False] * (len(finals) - 1) + [True]
    assert events[-1]["status"]["state"] == "completed"


@requirement("V03-02")
def test_it_reads_a_task(seen):
    assert texts_of(seen("get")) == ["hello"]


@requirement("V03-02")
def test_it_cancels(seen):
    told = seen("cancel")
    assert told["at_once"]["status"]["state"] in {"submitted", "working"}
    assert told["canceled"]["status"]["state"] == "canceled"
    assert "no error" not in told["again"]


def test_it_comes_back_to_a_stream(seen):
    told = seen("resubscribe")
    assert told["first"]["kind"] == "task"
    assert told["rest"][-1]["status"]["state"] == "completed"
    assert told["rest"][-1]["final"] is True


def test_its_webhooks_are_kept(seen):
    told = seen("webhooks")
    assert told["made"] == told["got"]
    assert told["made"]["taskId"] == told["task"]
    assert told["made"]["pushNotificationConfig"]["authentication"]["schemes"] == ["Bearer"]


@pytest.mark.parametrize("scenario", ["webhooks", "inline_webhook"])
def test_its_webhooks_are_told_whole_tasks(seen, scenario):
    told = seen(scenario)
    for one in told["taken"]:
        assert (one["payload"]["kind"], one["payload"]["id"]) == ("task", told["task"])
        assert one["headers"]["content-type"] == "application/json"
        assert one["headers"]["authorization"] == "Bearer s3cret"
        assert one["headers"]["x-a2a-notification-token"] == "tok-1"
    assert told["taken"][-1]["payload"]["status"]["state"] == "completed"
    assert told["taken"][-1]["payload"]["artifacts"]


def test_its_files_come_back_byte_for_byte(seen):
    assert seen("files") == {"same": True, "media_type": "application/x-test", "filename": "größe.bin"}


def test_its_data_and_text_come_back(seen):
    for scenario in ("data", "unicode"):
        told = seen(scenario)
        assert told["back"] == told["sent"]


def test_it_hears_of_errors(seen):
    assert "no error" not in seen("errors").values()
