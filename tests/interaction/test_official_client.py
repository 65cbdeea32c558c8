"""The official SDK's client drives our agent through every operation, over sockets, in an environment of its own."""

import asyncio
import json

import pytest

from dragoman.server import GrpcOptions
from tests.interaction.agents import Parrot
from tests.interaction.peer_process import needs_peer, run_peer
from tests.interaction.sockets import serving
from tests.interaction.wires import kinds, state_of

OFFICIAL_NAMES = {"jsonrpc": "JSONRPC", "rest": "HTTP+JSON", "grpc": "GRPC"}

pytestmark = [pytest.mark.slow, needs_peer]


async def drive(binding):
    async with serving(Parrot(grpc=GrpcOptions(port=0))) as url:
        output = await run_peer("tests.peer.official_client", url, OFFICIAL_NAMES[binding])
    lines = [json.loads(line) for line in output.splitlines()]
    return {line["scenario"]: line for line in lines}


@pytest.fixture(scope="module", params=list(OFFICIAL_NAMES))
def seen(request):
    """What the official client saw, by scenario: one run for each binding serves all tests."""
    scenarios = asyncio.run(drive(request.param))

    def get(scenario):
        line = scenarios[scenario]
        assert "error" not in line, line["trace"]
        return line["seen"]

    return get


def text_of(holder):
    return "".join(part["text"] for part in holder["parts"])


def test_it_reads_our_card(seen):
    card = seen("card")
    assert card["name"] == "Parrot"
    interfaces = card["supportedInterfaces"]
    names = [*OFFICIAL_NAMES.values()]
    assert [entry["protocolBinding"] for entry in interfaces] == names * 2
    assert card["capabilities"]["streaming"] is True
    assert {skill["id"] for skill in card["skills"]} >= {"echo", "hold"}


def test_it_sends_and_waits(seen):
    task = seen("send")
    assert state_of(task) == "COMPLETED"
    assert text_of(task["artifacts"][0]) == "hello"
    assert task["history"][0]["role"] == "ROLE_USER"


def test_it_sends_without_waiting(seen):
    told = seen("immediate")
    assert told["at_once"] in {"TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"}
    assert state_of(told["rest"][-1]) == "COMPLETED"


def test_it_gets_a_message_instead_of_a_task(seen):
    assert text_of(seen("reply")["message"]) == "hello"
    assert kinds(seen("stream_of_a_message")) == ["message"]


def test_it_streams(seen):
    events = seen("stream")
    pieces = [event["artifactUpdate"]["artifact"] for event in events if "artifactUpdate" in event]
    assert kinds(events)[0] == "task"
    assert "".join(map(text_of, pieces)) == "one two three"
    assert state_of(events[-1]) == "COMPLETED"


def test_it_reads_a_task_with_as_much_history_as_it_wants(seen):
    read = seen("get")
    assert "history" not in read["none"]
    assert [text_of(message) for message in read["one"]["history"]] == ["the red one"]
    assert [message["parts"][0].get("text") for message in read["all"]["history"]] == [
        "",
        "which one?",
        "the red one",
    ]


def test_it_lists_page_by_page_and_by_filter(seen):
    told = seen("list_tasks")
    tasks = [task for page in told["pages"] for task in page["tasks"]]
    stamps = [task["status"]["timestamp"] for task in tasks]
    assert [len(page["tasks"]) for page in told["pages"]] == [3, 1]
    assert {page["totalSize"] for page in told["pages"]} == {4}
    assert stamps == sorted(stamps, reverse=True)
    assert all("artifacts" not in task for task in tasks)
    assert all(task["artifacts"] for task in told["with_artifacts"]["tasks"])
    assert len(told["with_artifacts"]["tasks"]) == 3
    assert [task["id"] for task in told["waiting"]["tasks"]] == [told["parked"]]
    assert told["parked"] in {task["id"] for task in told["after"]["tasks"]}


def test_it_cancels(seen):
    told = seen("cancel")
    assert state_of(told["task"]) == "CANCELED"
    assert told["again"] == "TaskNotCancelableError"


def test_it_subscribes_twice_and_sees_the_same(seen):
    told = seen("subscribe")
    assert [kinds([first]) for first in told["firsts"]] == [["task"], ["task"]]
    assert told["rests"][0] == told["rests"][1]
    assert state_of(told["rests"][0][-1]) == "COMPLETED"
    assert (told["too_late"], told["unknown"]) == ("UnsupportedOperationError", "TaskNotFoundError")


def test_it_keeps_push_configurations(seen):
    told = seen("push_configurations")
    assert told["created"]["id"]
    assert told["got"] == told["created"]
    assert {config["id"] for config in told["listed"]["configs"]} == {told["created"]["id"], "mine"}
    assert (told["deleted"], told["deleted_again"]) == (None, None)
    assert [config["id"] for config in told["left"]["configs"]] == ["mine"]
    assert (told["missing"], told["unknown_task"]) == ("TaskNotFoundError", "TaskNotFoundError")


@pytest.mark.parametrize("scenario, first", [("webhook", "artifactUpdate"), ("inline_webhook", "task")])
def test_its_webhooks_are_called(seen, scenario, first):
    told = seen(scenario)
    payloads = [one["payload"] for one in told["taken"]]
    assert kinds(payloads)[0] == first
    assert state_of(payloads[-1]) == "COMPLETED"
    for one in told["taken"]:
        assert one["headers"]["authorization"] == "Bearer s3cret"
        assert one["headers"]["x-a2a-notification-token"] == "tok-1"
        assert one["headers"]["content-type"] == "application/a2a+json"


def test_it_is_refused_an_extended_card_that_is_not_there(seen):
    assert seen("extended_card") == "UnsupportedOperationError"


def test_it_continues_a_task_by_its_id_alone(seen):
    told = seen("multi_turn")
    assert state_of(told["asked"]) == "INPUT_REQUIRED"
    assert state_of(told["answered"]) == "COMPLETED"
    assert told["answered"]["contextId"] == told["asked"]["contextId"]
    assert text_of(told["answered"]["artifacts"][0]) == "you said the red one"


def test_it_hears_of_failures(seen):
    told = seen("failure")
    assert told["fail"]["status"]["message"]["parts"] == [{"text": "no seats"}, {"data": {"row": 7.0}}]
    assert state_of(told["crash"]) == "FAILED"
    assert "hunter2" not in json.dumps(told["crash"])


def test_it_raises_its_own_exception_for_each_of_our_errors(seen):
    assert seen("errors") == {
        "unknown_task": "TaskNotFoundError",
        "cancel_unknown": "TaskNotFoundError",
        "cancel_done": "TaskNotCancelableError",
        "send_to_unknown": "TaskNotFoundError",
        "send_to_done": "UnsupportedOperationError",
        "context_mismatch": "InvalidParamsError",
        "page_size": "InvalidParamsError",
        "page_token": "InvalidParamsError",
        "history_length": "InvalidParamsError",
        "no_parts": "InvalidParamsError",
        "no_such_skill": "InvalidParamsError",
        "content_type": "ContentTypeNotSupportedError",
        "version": "VersionNotSupportedError",
        "stream_to_done": "UnsupportedOperationError",
    }


def test_its_files_come_back_byte_for_byte(seen):
    assert seen("files") == {"same": True, "media_type": "application/x-test", "filename": "größe.bin"}


def test_its_text_comes_back_sign_for_sign(seen):
    told = seen("unicode")
    assert told["blocking"] == told["sent"]


def test_its_text_is_streamed_back_sign_for_sign(seen):
    """Its reader of streams takes U+0085, U+2028 and U+2029 for line ends, so that we send them escaped."""
    told = seen("unicode")
    assert told["streamed"] == told["sent"]


def test_its_data_comes_back_value_for_value(seen):
    told = seen("data")
    assert told["back"] == told["sent"]
