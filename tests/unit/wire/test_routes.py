"""Which operation a REST path means (SPEC 3.1, 3.5, D-01, D-30)."""

import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import OPERATIONS
from dragoman.wire.routes import match, verbs_for
from tests.unit.wire.strategies import FAST, FILLED_TEXTS, THOROUGH


def find(verb, path):
    route = match(verb, path)
    return route and (route.operation.name, route.members)


@pytest.mark.parametrize(
    "verb, path, name, members",
    [
        ("POST", "/message:send", "SendMessage", {}),
        ("POST", "/message:stream", "SendStreamingMessage", {}),
        ("GET", "/tasks", "ListTasks", {}),
        ("GET", "/tasks/t", "GetTask", {"id": "t"}),
        ("POST", "/tasks/t:cancel", "CancelTask", {"id": "t"}),
        ("POST", "/tasks/t:subscribe", "SubscribeToTask", {"id": "t"}),
        ("GET", "/tasks/t:subscribe", "SubscribeToTask", {"id": "t"}),
        ("POST", "/tasks/t/pushNotificationConfigs", "CreateTaskPushNotificationConfig", {"task_id": "t"}),
        ("GET", "/tasks/t/pushNotificationConfigs", "ListTaskPushNotificationConfigs", {"task_id": "t"}),
        (
            "GET",
            "/tasks/t/pushNotificationConfigs/p",
            "GetTaskPushNotificationConfig",
            {"task_id": "t", "id": "p"},
        ),
        (
            "DELETE",
            "/tasks/t/pushNotificationConfigs/p",
            "DeleteTaskPushNotificationConfig",
            {"task_id": "t", "id": "p"},
        ),
        ("GET", "/extendedAgentCard", "GetExtendedAgentCard", {}),
    ],
)
def test_every_operation_has_its_path_and_a_twin_for_tenants(verb, path, name, members):
    assert find(verb, path) == (name, members)
    assert find(verb, "/acme" + path) == (name, {"tenant": "acme", **members})


@pytest.mark.parametrize(
    "path, name, id",
    [
        ("/tasks/a:b", "GetTask", "a:b"),
        ("/tasks/a:b:subscribe", "SubscribeToTask", "a:b"),
        ("/tasks/a%3Asubscribe", "GetTask", "a:subscribe"),
        ("/tasks/a%3asubscribe:subscribe", "SubscribeToTask", "a:subscribe"),
        ("/tasks/a%2Fb", "GetTask", "a/b"),
        ("/tasks/%20%25", "GetTask", " %"),
        ("/tasks/a+b", "GetTask", "a+b"),
        ("/tasks/%C3%A9", "GetTask", "é"),
        ("/tasks/%", "GetTask", "%"),
        ("/tasks/tasks", "GetTask", "tasks"),
        ("/tasks/message:send", "GetTask", "message:send"),
        ("/tasks/..", "GetTask", ".."),
    ],
)
def test_an_id_is_one_encoded_segment(path, name, id):
    assert find("GET", path) == (name, {"id": id})


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "//",
        "tasks",
        "/Tasks/",
        "/tasks/",
        "/tasks//",
        "//tasks",
        "/message:send/",
        "/tasks/%FF",
        "/tasks/t/pushNotificationConfigs/",
        "/tasks/t/other",
        "/a/b/tasks",
        "/a/tasks/b/pushNotificationConfigs/c/d",
        "*",
    ],
)
def test_other_paths_lead_nowhere(path):
    assert all(match(verb, path) is None for verb in ("GET", "POST", "DELETE"))
    assert verbs_for(path) == ()


@pytest.mark.parametrize(
    "path, verbs",
    [
        ("/message:send", {"POST"}),
        ("/tasks", {"GET"}),
        ("/acme/tasks", {"GET"}),
        ("/tasks/t:subscribe", {"POST", "GET"}),
        ("/tasks/t/pushNotificationConfigs", {"GET", "POST"}),
        ("/acme/tasks/t/pushNotificationConfigs/p", {"GET", "DELETE"}),
    ],
)
def test_a_known_path_says_its_verbs(path, verbs):
    assert set(verbs_for(path)) == verbs
    assert all(
        (match(verb, path) is not None) is (verb in verbs) for verb in ("GET", "POST", "PUT", "DELETE")
    )


@FAST
@given(
    st.sampled_from(OPERATIONS),
    st.fixed_dictionaries(dict.fromkeys(["id", "task_id"], FILLED_TEXTS)),
    FILLED_TEXTS,
)
def test_any_ids_are_found_again(operation, ids, tenant):
    encoded = {name: quote(text, safe="") for name, text in ids.items()}
    path = operation.path.format_map(encoded)
    expected = {name: text for name, text in ids.items() if f"{{{name}}}" in operation.path}
    assert find(operation.verbs[0], path) == (operation.name, expected)
    with_tenant = match(operation.verbs[0], f"/{quote(tenant, safe='')}{path}")
    assert with_tenant is not None
    assert with_tenant.members["tenant"] == tenant


@THOROUGH
@given(st.text("/:%tasks{}.é", max_size=30))
def test_arbitrary_paths_are_survived(path):
    for verb in ("GET", "POST", "DELETE"):
        assert match(verb, path) is None or verb in verbs_for(path)


@pytest.mark.parametrize(
    "path", ["/" * 1_000_000, "/tasks/" + ":subscribe" * 100_000, "/tasks/" + "%" * 200_000]
)
def test_long_paths_take_bounded_time(path):
    start = time.perf_counter()
    match("GET", path)
    verbs_for(path)
    assert time.perf_counter() - start < 5
