"""Whatever a peer sends, a decoder reads it or refuses it by an error of the protocol that has no trace of Python in it."""

import copy
import os
from collections import Counter
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from dragoman.model import (
    A2AError,
    AgentCard,
    GetTaskPushNotificationConfigRequest,
    Record,
    StreamResponse,
    operations,
)
from dragoman.wire import codec
from dragoman.wire.dialects import PLAIN_PROTO, PROTO, dialect_named, load_card, rest
from tests.unit.wire.dialects.corpus import CORPUS
from tests.unit.wire.strategies import JSON_VALUES

RUNS = int(os.environ.get("DRAGOMAN_FUZZ_RUNS", "150"))
FUZZ = settings(max_examples=RUNS, deadline=None, suppress_health_check=[HealthCheck.too_slow])

DIALECTS = ["0.3", "0.2", PROTO, PLAIN_PROTO, "0.1"]
ODDITIES = st.one_of(
    JSON_VALUES,
    st.sampled_from(["", "x" * 100, "TASK_STATE_WORKING", "user", "Ä==", -1, 2**70, 1.5, True, [[]], [{}]]),
)
counted: Counter[str] = Counter()


def places_in(value, path=()):
    """Every place in a JSON value, by the way to it."""
    yield path
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, entry in entries:
        yield from places_in(entry, (*path, key))


def change(value, path, new):
    if not path:
        return new
    value = copy.deepcopy(value)
    holder = value
    for key in path[:-1]:
        holder = holder[key]
    if new is REMOVED:
        del holder[path[-1]]
    else:
        holder[path[-1]] = new
    return value


REMOVED = object()


@st.composite
def mangled(draw, samples):
    """A sample of the corpus with up to three places replaced or removed; or any JSON at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(JSON_VALUES)
    wire = draw(st.sampled_from(samples))
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(list(places_in(wire))))
        wire = change(wire, path, draw(st.just(REMOVED) | ODDITIES) if path else draw(JSON_VALUES))
    return wire


def samples_of(dialect, *whats):
    dialect = PROTO if dialect == PLAIN_PROTO else dialect
    found: list[Any] = []
    for one in CORPUS:
        if one.dialect == dialect and one.what in whats:
            found += one.wire if one.what == "event" else [one.wire]
    return found


def check_words(text):
    assert "Traceback" not in text
    assert "object at 0x" not in text
    assert len(text) < 20_000


def try_to(decoder, read, *arguments):
    counted[decoder] += 1
    try:
        result = read(*arguments)
    except A2AError as refusal:
        check_words(str(refusal))
        return None
    names_any = isinstance(result, GetTaskPushNotificationConfigRequest) and not result.id
    if isinstance(result, Record) and not names_any:  # which 1.0 cannot say
        assert codec.convert(type(result), codec.decode_json(codec.encode(result))) == result
    return result


@pytest.fixture(scope="module", autouse=True)
def _print_counts(request):
    yield
    manager = request.config.pluginmanager
    summary = ", ".join(f"{name} {count}" for name, count in sorted(counted.items()))
    with manager.get_plugin("capturemanager").global_and_fixture_disabled():
        reporter = manager.get_plugin("terminalreporter")
        reporter.write_line(f"\nfuzzed {sum(counted.values())} times: {summary}")


@pytest.mark.parametrize("name", DIALECTS)
@FUZZ
@given(data=st.data())
def test_requests(name, data):
    dialect = dialect_named(name)
    operation = data.draw(st.sampled_from(list(dialect.methods.values())))
    wire = data.draw(mangled(samples_of(name, "request")))
    request = try_to(f"{name} request", dialect.load_request, operation, wire)
    assert request is None or isinstance(request, operation.request)


@pytest.mark.parametrize("name", DIALECTS)
@FUZZ
@given(data=st.data())
def test_results(name, data):
    dialect = dialect_named(name)
    operation = data.draw(st.sampled_from(list(dialect.methods.values())))
    wire = data.draw(mangled(samples_of(name, "result")))
    result = try_to(f"{name} result", dialect.load_result, operation, wire)
    assert result is None or isinstance(result, operation.response)


@pytest.mark.parametrize("name", DIALECTS)
@FUZZ
@given(data=st.data())
def test_events(name, data):
    dialect = dialect_named(name)
    wire = data.draw(mangled(samples_of(name, "event", "webhook")))
    for read in (dialect.load_event, dialect.load_webhook):
        event = try_to(f"{name} event", read, wire)
        assert event is None or isinstance(event, StreamResponse)


@pytest.mark.parametrize("name", DIALECTS)
@FUZZ
@given(data=st.data())
def test_errors(name, data):
    wire = data.draw(mangled(samples_of(name, "error")))
    error = dialect_named(name).load_error(wire)
    counted[f"{name} error"] += 1
    assert isinstance(error, A2AError)


CARDS = [one.wire for one in CORPUS if one.what in ("card", "merged card")]


@FUZZ
@given(data=st.data())
def test_cards(data):
    card = try_to("card", load_card, data.draw(mangled(CARDS)))
    assert card is None or isinstance(card, AgentCard)


PATHS = st.one_of(
    st.text(max_size=20),
    st.lists(
        st.sampled_from(
            ["v1", "tasks", "t", "%ff", "", "message:send", "pushNotificationConfigs", ":cancel"]
        ),
        max_size=6,
    ).map("/".join),
)


@FUZZ
@given(
    verb=st.sampled_from(["GET", "POST", "DELETE"]),
    path=PATHS,
    query=st.binary(max_size=20),
    body=st.binary(max_size=40)
    | mangled(samples_of("0.3 proto", "request")).map(codec.encode)
    | mangled(samples_of("0.3", "request")).map(codec.encode),
)
def test_rest(verb, path, query, body):
    route = rest.match(verb, "/v1/" + path)
    counted["rest path"] += 1
    if route is not None:
        try_to("rest request", lambda: rest.load_request(route, query, body).request)


@FUZZ
@given(query=st.binary(max_size=20), body=mangled(samples_of("0.3 proto", "request")).map(codec.encode))
@example(query=b"", body=b'{"message":{"role":[]}}')
def test_rest_bodies(query, body):
    for verb, path in (("POST", "/v1/message:send"), ("POST", "/v1/tasks/t-1/pushNotificationConfigs")):
        route = rest.match(verb, path)
        assert route is not None
        try_to("rest body", lambda route=route: rest.load_request(route, query, body).request)


def nest(depth):
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize("name", DIALECTS)
def test_what_is_nested_too_deep_is_refused(name):
    dialect = dialect_named(name)
    deep = nest(100_000)
    for wire in ({"message": {"parts": [{"data": deep}]}, "id": "x"}, {"metadata": deep, "id": "x"}, deep):
        try_to("deep", dialect.load_request, operations.SEND_MESSAGE, wire)
