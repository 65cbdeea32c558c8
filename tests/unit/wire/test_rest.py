"""Requests of the HTTP+JSON binding (SPEC 3.5, RST-*, D-30)."""

from typing import Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dragoman.model import (
    OPERATIONS,
    A2AError,
    CancelTaskRequest,
    GetExtendedAgentCardRequest,
    GetTaskRequest,
    InvalidParamsError,
    ListTasksRequest,
    Operation,
    ParseError,
    Record,
    SendMessageRequest,
    SubscribeToTaskRequest,
    TaskPushNotificationConfig,
    TaskState,
    Timestamp,
)
from dragoman.model.operations import BY_NAME, CREATE_PUSH_CONFIG, SUBSCRIBE_TO_TASK
from dragoman.wire.codec import decode, encode
from dragoman.wire.rest import RouteMatch, build_request, load_request, match
from tests.unit.wire.strategies import FAST, JSON_VALUES, THOROUGH, records

SEND = b'{"message":{"messageId":"m","role":"ROLE_USER","parts":[{"text":"hi"}]}}'


def load(verb, path, query="", body=b"") -> Any:
    route = match(verb, path)
    assert route is not None
    return load_request(route, query, body)


def refuse(verb, path, query="", body=b""):
    with pytest.raises(InvalidParamsError) as raised:
        load(verb, path, query, body)
    return {violation.field: violation.description for violation in raised.value.violations}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
@pytest.mark.parametrize("place", [0, -1])
def test_what_a_client_builds_a_server_reads(operation, place):
    """RST-04, RST-05, RST-07, RST-08, D-01."""
    verb = operation.verbs[place]

    @FAST
    @given(records(operation.request))
    def check(request):
        assume(all(getattr(request, name) for name in ("id", "task_id") if f"{{{name}}}" in operation.path))
        built = build_request(operation, request, verb=verb)
        assert built.verb == verb
        assert built.path.isascii()
        assert built.query.isascii()
        route = match(built.verb, built.path)
        assert route is not None
        assert route.operation is operation
        assert load_request(route, built.query.encode(), built.body or b"") == request

    check()


def test_a_body_is_read_as_it_is():
    assert load("POST", "/message:send", body=SEND) == decode(SendMessageRequest, SEND)
    assert load("POST", "/message:send", "A2A-Version=1.0&x=1", SEND) == decode(SendMessageRequest, SEND)


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b'{"id":"t"}', b'{"id":null}', b'{"id":""}'])
def test_the_id_comes_from_the_path(body):
    """SPEC 3.5: a body is optional where the path says all that is REQUIRED."""
    assert load("POST", "/tasks/t:cancel", body=body) == CancelTaskRequest(id="t")
    assert load("POST", "/tasks/t:subscribe", body=body) == SubscribeToTaskRequest(id="t")


def test_the_rest_comes_from_the_body():
    assert load("POST", "/tasks/t:cancel", body=b'{"metadata":{"why":1}}').metadata == {"why": 1}
    config = load(
        "POST", "/tasks/t/pushNotificationConfigs", body=b'{"url":"https://x","task_id":"t","id":"p"}'
    )
    assert config == TaskPushNotificationConfig(url="https://x", task_id="t", id="p")


@pytest.mark.parametrize("body", [b'{"id":"u"}', b'{"id":5}', b'{"id":{}}'])
def test_an_id_in_the_body_may_not_contradict_the_path(body):
    assert refuse("POST", "/tasks/t:cancel", body=body) == {"id": "differs from the one in the path"}


@pytest.mark.parametrize("name", ["taskId", "task_id"])
def test_neither_spelling_may_contradict_the_path(name):
    body = b'{"url":"https://x","%b":"u"}' % name.encode()
    assert list(refuse("POST", "/tasks/t/pushNotificationConfigs", body=body)) == ["taskId"]


def test_a_missing_body_names_what_it_lacks():
    assert refuse("POST", "/message:send") == {"message": "is required and missing"}
    assert refuse("POST", "/tasks/t/pushNotificationConfigs") == {"url": "is required and missing"}


@pytest.mark.parametrize("body", [b"[]", b'"x"', b"null"])
def test_a_body_is_an_object(body):
    assert list(refuse("POST", "/tasks/t:cancel", body=body)) == [""]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b"[" * 10_000, b'{"metadata":{"a":' + b"[" * 200 + b"]" * 200 + b"}}"]
)
@pytest.mark.parametrize("path", ["/tasks/t:cancel", "/message:send"])
def test_a_body_that_is_no_json_or_too_deep_is_a_parse_error(path, body):
    body = body.replace(b'{"metadata"', SEND[:-1] + b',"metadata"')
    with pytest.raises(ParseError):
        load("POST", path, body=body)


def test_query_members_are_read_by_their_types():
    """SPEC 3.5, RST-05."""
    query = (
        "contextId=c%201&status=TASK_STATE_WORKING&pageSize=10&pageToken=a%2Bb&historyLength=0"
        "&statusTimestampAfter=2026-01-31T12:00:00Z&includeArtifacts=true&unknown=1&A2A-Version=1.0"
    )
    assert load("GET", "/tasks", query) == ListTasksRequest(
        context_id="c 1",
        status=TaskState.WORKING,
        page_size=10,
        page_token="a+b",
        history_length=0,
        status_timestamp_after=Timestamp.parse("2026-01-31T12:00:00Z"),
        include_artifacts=True,
    )


def test_query_members_may_have_proto_names_and_enum_numbers():
    request = load("GET", "/tasks", "context_id=c&page_size=3&status=2&include_artifacts=false")
    assert request == ListTasksRequest(
        context_id="c", page_size=3, status=TaskState.WORKING, include_artifacts=False
    )


def test_every_wrong_member_of_a_query_is_named():
    query = (
        "status=working&pageSize=ten&historyLength=1.5&statusTimestampAfter=2026-01-31&includeArtifacts=yes"
    )
    found = refuse("GET", "/tasks", query)
    assert set(found) == {"status", "pageSize", "historyLength", "statusTimestampAfter", "includeArtifacts"}
    assert found["includeArtifacts"] == "expected true or false, found 'yes'"


@pytest.mark.parametrize("query", ["pageSize=", "status=", "includeArtifacts=", "statusTimestampAfter="])
def test_an_empty_value_is_wrong_where_text_is_not_expected(query):
    assert list(refuse("GET", "/tasks", query)) == [query.removesuffix("=")]


def test_an_empty_text_is_unset():
    assert load("GET", "/tasks", "contextId=&pageToken=&tenant=") == ListTasksRequest()


def test_a_member_given_twice_must_agree():
    assert load("GET", "/tasks", "pageSize=3&pageSize=3") == ListTasksRequest(page_size=3)
    assert list(refuse("GET", "/tasks", "pageSize=3&page_size=4")) == ["pageSize"]


def test_an_id_in_the_query_may_not_contradict_the_path():
    assert load("GET", "/tasks/t", "id=t") == GetTaskRequest(id="t")
    assert list(refuse("GET", "/tasks/t", "id=u")) == ["id"]


@pytest.mark.parametrize("query", [b"pageSize=%ff", b"\xff", b"a=%ff", "&".join(["a=1"] * 101), "a=%80"])
def test_a_query_that_cannot_be_read_is_refused(query):
    with pytest.raises(InvalidParamsError, match="the query must be UTF-8"):
        load("GET", "/tasks", query)


class Filter(Record, frozen=True, kw_only=True):
    tags: tuple[str, ...] = ()
    tenant: str = ""


FILTER = Operation("Filter", Filter, Filter, ("GET",), "/filter")


@pytest.mark.parametrize("query", ["tags=a&tags=b", "tags=a,b", "tags=a%2Cb"])
def test_a_repeated_member_is_a_repeated_key_or_a_comma_list(query):
    """RST-06."""
    assert load_request(RouteMatch(FILTER, "GET"), query, b"") == Filter(tags=("a", "b"))


def test_a_client_repeats_the_key():
    assert build_request(FILTER, Filter(tags=("a", "b c"))).query == "tags=a&tags=b%20c"


WITH_TENANT = SEND[:-1] + b',"tenant":"acme"}'


@pytest.mark.parametrize(
    "path, query, body",
    [
        ("/acme/message:send", "", SEND),
        ("/message:send", "tenant=acme", SEND),
        ("/message:send", "", WITH_TENANT),
        ("/acme/message:send", "tenant=acme", WITH_TENANT),
    ],
)
def test_a_tenant_comes_from_anywhere(path, query, body):
    """D-30."""
    assert load("POST", path, query, body).tenant == "acme"


@pytest.mark.parametrize(
    "path, query, body",
    [
        ("/other/message:send", "", WITH_TENANT),
        ("/message:send", "tenant=other", WITH_TENANT),
        ("/other/message:send", "tenant=acme", SEND),
        ("/message:send", "tenant=acme&tenant=other", SEND),
    ],
)
def test_two_tenants_are_refused(path, query, body):
    assert list(refuse("POST", path, query, body)) == ["tenant"]


def test_a_tenant_in_the_path_or_query_of_a_get():
    assert load("GET", "/acme/tasks").tenant == load("GET", "/tasks", "tenant=acme").tenant == "acme"
    assert load("GET", "/acme/extendedAgentCard") == GetExtendedAgentCardRequest(tenant="acme")
    assert list(refuse("GET", "/acme/tasks", "tenant=other")) == ["tenant"]


def test_a_client_encodes_ids_and_tenants():
    """RST-08."""
    built = build_request(
        BY_NAME["GetTask"], GetTaskRequest(id="a/b:subscribe é", tenant="x/y", history_length=0)
    )
    assert built.path == "/x%2Fy/tasks/a%2Fb%3Asubscribe%20%C3%A9"
    assert (built.verb, built.query, built.body) == ("GET", "historyLength=0", None)


def test_a_client_is_told_when_an_id_is_missing():
    with pytest.raises(InvalidParamsError, match="taskId: is required"):
        build_request(CREATE_PUSH_CONFIG, TaskPushNotificationConfig(url="https://x"))


def test_a_client_may_choose_the_verb():
    """D-01."""
    request = SubscribeToTaskRequest(id="t")
    assert build_request(SUBSCRIBE_TO_TASK, request)[:1] == ("POST",)
    assert build_request(SUBSCRIBE_TO_TASK, request, verb="GET") == ("GET", "/tasks/t:subscribe", "", None)


@THOROUGH
@given(
    st.sampled_from(OPERATIONS),
    st.sampled_from([0, -1]),
    st.binary(max_size=30)
    | st.dictionaries(st.sampled_from(["id", "pageSize", "status", "tenant"]), st.text()).map(urlencode),
    st.binary(max_size=30) | JSON_VALUES.map(encode),
    st.text(min_size=1, max_size=5),
)
def test_arbitrary_requests_raise_only_declared_errors(operation, place, query, body, id):
    members = dict.fromkeys(["id", "task_id"], quote(id.encode("utf-8", "replace"), safe=""))
    route = match(operation.verbs[place], operation.path.format_map(members))
    assert route is not None
    try:
        load_request(route, query, body)
    except (InvalidParamsError, ParseError) as error:
        assert isinstance(error, A2AError)  # noqa: PT017 — any other error fails the test by itself
