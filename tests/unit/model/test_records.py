"""The records themselves: what they refuse, and what they say about themselves (SPEC 1)."""

from typing import Any

import msgspec
import pytest

from dragoman.model import (
    OPERATIONS,
    Artifact,
    Message,
    Part,
    Role,
    SendMessageResponse,
    StreamResponse,
    Task,
    TaskArtifactUpdateEvent,
    TaskState,
    TaskStatus,
    TaskStatusUpdateEvent,
    wrap_event,
    wrap_reply,
)
from dragoman.model.card import AgentCapabilities
from dragoman.model.operations import BY_NAME
from dragoman.model.security_schemes import (
    ApiKeyLocation,
    APIKeySecurityScheme,
    ClientCredentialsOAuthFlow,
    HTTPAuthSecurityScheme,
    ImplicitOAuthFlow,
    MutualTlsSecurityScheme,
    OAuth2SecurityScheme,
    OAuthFlows,
    OpenIdConnectSecurityScheme,
    SecurityScheme,
)

MESSAGE = Message(message_id="m", role=Role.USER, parts=(Part.of_text("hi"),))
TASK = Task(id="t", context_id="c", status=TaskStatus(state=TaskState.WORKING))
STATUS = TaskStatusUpdateEvent(task_id="t", context_id="c", status=TASK.status)
CHUNK = TaskArtifactUpdateEvent(
    task_id="t", context_id="c", artifact=Artifact(artifact_id="a", parts=(Part.of_text("x"),))
)

TERMINAL = {TaskState.COMPLETED, TaskState.FAILED, TaskState.CANCELED, TaskState.REJECTED}
INTERRUPTED = {TaskState.INPUT_REQUIRED, TaskState.AUTH_REQUIRED}


@pytest.mark.parametrize("state", TaskState)
def test_every_state_ends_waits_or_goes_on(state: TaskState):
    assert state.is_terminal == (state in TERMINAL)
    assert state.is_interrupted == (state in INTERRUPTED)
    assert state.is_settled == (state in TERMINAL | INTERRUPTED)
    assert state.value == f"TASK_STATE_{state.name}"


def test_a_part_has_exactly_one_kind_of_content():
    for part in (
        Part.of_text(""),
        Part.of_bytes(b"", filename="x"),
        Part.of_url("https://x.example", media_type="image/png"),
        Part.of_data(None),
        Part.of_data({"a": 1}),
    ):
        assert msgspec.json.decode(msgspec.json.encode(part), type=Part) == part
    for members in ({}, {"text": "x", "data": None}, {"raw": b"x", "url": "y"}):
        with pytest.raises(ValueError, match="exactly one of"):
            Part(**members)


def test_data_that_is_null_is_content():
    assert msgspec.json.encode(Part.of_data(None)) == b'{"data":null}'


def test_the_text_of_a_message_has_a_line_for_each_part_and_that_of_an_artifact_none():
    parts = (Part.of_text("one"), Part.of_data(1), Part.of_text("two"))
    assert Message(message_id="m", role=Role.AGENT, parts=parts).text == "one\ntwo"
    assert Artifact(artifact_id="a", parts=parts).text == "onetwo"


def test_the_text_of_a_task_is_that_of_its_artifacts_else_of_its_status():
    assert TASK.text == ""
    said = msgspec.structs.replace(TASK, status=TaskStatus(state=TaskState.FAILED, message=MESSAGE))
    assert said.text == "hi"
    made = msgspec.structs.replace(said, artifacts=(CHUNK.artifact, CHUNK.artifact))
    assert made.text == "x\nx"
    assert made.state is TaskState.FAILED


@pytest.mark.parametrize("payload", [TASK, MESSAGE, STATUS, CHUNK])
def test_an_event_wraps_exactly_one_payload(payload: Task | Message):
    event = wrap_event(payload)
    assert event.payload is payload
    assert len(msgspec.json.decode(msgspec.json.encode(event))) == 1


@pytest.mark.parametrize("payload", [TASK, MESSAGE])
def test_a_reply_wraps_exactly_one_payload(payload: Task | Message):
    assert wrap_reply(payload).payload is payload


def test_wrappers_refuse_nothing_and_two():
    wrong: tuple[dict[str, Any], ...] = ({}, {"task": TASK, "message": MESSAGE})
    for members in wrong:
        with pytest.raises(ValueError, match="exactly one of"):
            StreamResponse(**members)
        with pytest.raises(ValueError, match="exactly one of"):
            SendMessageResponse(**members)


def test_records_are_frozen_and_named_as_on_the_wire():
    with pytest.raises(AttributeError):
        TASK.id = "other"  # type: ignore[misc]
    assert msgspec.json.encode(CHUNK) == (
        b'{"taskId":"t","contextId":"c","artifact":{"artifactId":"a","parts":[{"text":"x"}]}}'
    )


def test_the_eleven_operations_are_there_once():
    assert len(OPERATIONS) == len(BY_NAME) == 11
    assert len({(operation.verbs, operation.path) for operation in OPERATIONS}) == 11
    for operation in OPERATIONS:
        assert BY_NAME[operation.name] is operation
        assert operation.has_body == (operation.verbs[0] == "POST")
        members = {field.name for field in msgspec.structs.fields(operation.request)}
        named = {piece.split("}")[0] for piece in operation.path.split("{")[1:]}
        assert named <= members
        assert operation.capability == "" or hasattr(AgentCapabilities(), operation.capability)


FLOW = ClientCredentialsOAuthFlow(token_url="https://x.example/token", scopes={})
DETAILS: dict[str, Any] = {
    "api_key_security_scheme": APIKeySecurityScheme(location=ApiKeyLocation.HEADER, name="X-Key"),
    "http_auth_security_scheme": HTTPAuthSecurityScheme(scheme="Bearer"),
    "oauth2_security_scheme": OAuth2SecurityScheme(flows=OAuthFlows(client_credentials=FLOW)),
    "open_id_connect_security_scheme": OpenIdConnectSecurityScheme(open_id_connect_url="https://x.example"),
    "mtls_security_scheme": MutualTlsSecurityScheme(),
}


@pytest.mark.parametrize("kind", DETAILS)
def test_a_security_scheme_has_exactly_one_kind(kind: str):
    scheme = SecurityScheme(**{kind: DETAILS[kind]})
    assert scheme.detail is DETAILS[kind]
    assert msgspec.json.decode(msgspec.json.encode(scheme), type=SecurityScheme) == scheme
    with pytest.raises(ValueError, match="exactly one kind"):
        SecurityScheme()
    with pytest.raises(ValueError, match="exactly one kind"):
        SecurityScheme(**DETAILS)


def test_an_oauth2_scheme_has_exactly_one_flow():
    with pytest.raises(ValueError, match="one scheme per flow"):
        OAuthFlows()
    with pytest.raises(ValueError, match="one scheme per flow"):
        OAuthFlows(client_credentials=FLOW, implicit=ImplicitOAuthFlow())


def test_security_schemes_have_the_names_of_the_specification():
    encoded = {
        next(iter(msgspec.json.decode(msgspec.json.encode(SecurityScheme(**{kind: detail})))))
        for kind, detail in DETAILS.items()
    }
    assert encoded == {
        "apiKeySecurityScheme",
        "httpAuthSecurityScheme",
        "oauth2SecurityScheme",
        "openIdConnectSecurityScheme",
        "mtlsSecurityScheme",
    }
