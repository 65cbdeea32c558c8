"""Errors as JSON, there and back (SPEC 3.2, ERR-*, D-04, D-05, D-07)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import (
    A2AError,
    FieldViolation,
    InternalError,
    InvalidParamsError,
    PermissionDeniedError,
    TaskNotCancelableError,
    TaskNotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import ERROR_TABLE
from dragoman.wire.codec import decode_json, encode
from dragoman.wire.errors import MAX_RETRY_AFTER, dump_rest_error, error_details, load_error, load_rest_error
from tests.unit.wire.strategies import JSON_VALUES, THOROUGH

ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
BAD_REQUEST = "type.googleapis.com/google.rpc.BadRequest"
RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"
ROWS = pytest.mark.parametrize("row", ERROR_TABLE, ids=lambda row: row.reason)


def as_json(value):
    return decode_json(encode(value))


@ROWS
def test_every_error_is_known_again_by_its_reason(row):
    """D-05: whatever the status says."""
    error = load_rest_error(418, encode(dump_rest_error(row.error("said so", metadata={"k": "v"}), 418)))
    assert error is not None
    assert type(error) is row.error
    assert (error.message, error.metadata) == ("said so", {"k": "v"})


@ROWS
def test_every_error_is_known_again_by_its_code(row):
    assert type(load_error(row.code, "said so", None)) is row.error


@ROWS
def test_every_detail_has_a_type_and_the_first_is_error_info(row):
    """ERR-18, RST-09, RST-10."""
    details = as_json(error_details(row.error()))
    assert all("@type" in detail for detail in details)
    assert details[0] == {"@type": ERROR_INFO, "reason": row.reason, "domain": "a2a-protocol.org"}


def test_a_rest_body_has_the_shape_of_the_specification():
    """SPEC 3.2, RST-09 to RST-12."""
    error = InvalidParamsError("no", violations=[FieldViolation(field="id", description="is required")])
    assert as_json(dump_rest_error(error, 413)) == {
        "error": {
            "code": 413,
            "status": "INVALID_ARGUMENT",
            "message": "no",
            "details": [
                {"@type": ERROR_INFO, "reason": "INVALID_PARAMS", "domain": "a2a-protocol.org"},
                {"@type": BAD_REQUEST, "fieldViolations": [{"field": "id", "description": "is required"}]},
            ],
        }
    }


@pytest.mark.parametrize(
    "delay, text",
    [
        (timedelta(seconds=1), "1s"),
        (timedelta(seconds=90), "90s"),
        (timedelta(milliseconds=1500), "1.5s"),
        (timedelta(0), "0s"),
    ],
)
def test_a_busy_agent_says_when_to_try_again(delay, text):
    """ERR-14, ERR-15."""
    error = UnavailableError(retry_after=delay)
    assert as_json(error_details(error))[1] == {"@type": RETRY_INFO, "retryDelay": text}
    loaded = load_rest_error(503, encode(dump_rest_error(error, 503)))
    assert isinstance(loaded, UnavailableError)
    assert loaded.retry_after == delay


@pytest.mark.parametrize(
    "header, delay",
    [
        ("7", timedelta(seconds=7)),
        (" 7 ", timedelta(seconds=7)),
        ("999999999", MAX_RETRY_AFTER),
        ("9" * 5000, timedelta(seconds=1)),
        ("-1", timedelta(seconds=1)),
        ("nan", timedelta(seconds=1)),
        ("Wed, 21 Oct 2026 07:28:00 GMT", timedelta(seconds=1)),
    ],
)
def test_the_header_says_it_too(header, delay):
    loaded = load_rest_error(503, encode(dump_rest_error(UnavailableError(), 503)), header)
    assert isinstance(loaded, UnavailableError)
    assert loaded.retry_after == delay


def test_the_reason_wins_over_the_code():
    info = {"@type": ERROR_INFO, "reason": "TASK_NOT_CANCELABLE"}
    assert type(load_error(-32001, "x", [info])) is TaskNotCancelableError


def test_an_unknown_reason_is_kept():
    info = {"@type": ERROR_INFO, "reason": "NO_SEATS", "metadata": {"row": "5", "n": 5}}
    error = load_error(-32099, "sold out", [info])
    assert type(error) is A2AError
    assert (error.message, error.reason, error.metadata) == ("sold out", "NO_SEATS", {"row": "5"})
    assert as_json(error_details(error))[0]["reason"] == "NO_SEATS"


def test_an_unknown_reason_leaves_the_code_its_meaning():
    error = load_error(-32603, "x", [{"@type": ERROR_INFO, "reason": "NO_SEATS"}])
    assert type(error) is InternalError
    assert error.reason == "NO_SEATS"


def test_violations_alone_mean_invalid_params():
    detail = {"@type": BAD_REQUEST, "fieldViolations": [{"field": "a", "description": "b"}, 5, {"field": 1}]}
    error = load_error(None, "x", [detail], status=400)
    assert type(error) is InvalidParamsError
    assert error.violations == (
        FieldViolation(field="a", description="b"),
        FieldViolation(field="", description=""),
    )


@pytest.mark.parametrize(
    "status, kind",
    [
        (401, UnauthenticatedError),
        (403, PermissionDeniedError),
        (503, UnavailableError),
        (404, A2AError),
        (400, A2AError),
    ],
)
def test_only_a_status_that_means_one_thing_is_believed(status, kind):
    assert type(load_rest_error(status, b'{"error":{"code":%d,"message":"x"}}' % status)) is kind


def test_a_json_rpc_error_in_a_rest_answer_is_read():
    body = b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":"x"}}'
    assert type(load_rest_error(200, body)) is TaskNotFoundError


def test_a_json_rpc_error_without_an_envelope_is_read():
    """As the JavaScript SDK of 0.3 answers over REST."""
    assert type(load_rest_error(404, b'{"code":-32002,"message":"x"}')) is TaskNotCancelableError
    assert load_rest_error(404, b'{"code":404,"message":"x"}') is None


@pytest.mark.parametrize("kind", ["task-not-found", "task-not-found-error"])
def test_problem_json_of_rc_servers_is_read(kind):
    """D-04."""
    body = encode(
        {"type": f"https://a2a-protocol.org/errors/{kind}", "title": "Gone", "status": 404, "detail": "no t"}
    )
    error = load_rest_error(404, body)
    assert type(error) is TaskNotFoundError
    assert error.message == "no t"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"[]",
        b'"no"',
        b"{}",
        b'{"error":"invalid_token"}',
        b'{"error":{"message":"x"}}',
        b'{"detail":"Not Found"}',
        b'{"type":"about:blank","title":"Not Found","status":404}',
        b'{"type":"https://example.com/errors/task-not-found"}',
        b"[" * 10_000,
        b"\xff",
    ],
)
def test_what_is_no_error_of_the_protocol_is_none(body):
    assert load_rest_error(404, body) is None


@THOROUGH
@given(st.none() | st.integers(), JSON_VALUES, JSON_VALUES)
def test_arbitrary_details_are_survived(code, details, metadata):
    load_error(code, "x", details)
    typed = [
        {
            "@type": kind,
            "metadata": metadata,
            "reason": details,
            "fieldViolations": details,
            "retryDelay": metadata,
        }
        for kind in (ERROR_INFO, BAD_REQUEST, RETRY_INFO)
    ]
    load_error(code, "x", typed, status=503)


@THOROUGH
@given(st.binary(max_size=40) | JSON_VALUES.map(lambda value: encode({"error": value, "type": value})))
def test_arbitrary_bodies_are_survived(body):
    load_rest_error(500, body, "x")
