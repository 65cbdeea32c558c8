"""Errors as `google.rpc.Status` (SPEC 3.2)."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import (
    A2AError,
    FieldViolation,
    InvalidParamsError,
    PermissionDeniedError,
    TaskNotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from dragoman.model.errors import ERROR_TABLE
from dragoman.wire.grpc.errors import MAX_DETAILS_BYTES, dump_status, load_status
from tests.unit.wire.strategies import THOROUGH


@pytest.mark.parametrize("row", ERROR_TABLE, ids=lambda row: row.reason)
def test_every_error_comes_back_as_itself(row):
    status = dump_status(row.error("what went wrong", metadata={"taskId": "t1"}))
    back = load_status(*status)
    assert status.code == row.grpc_status
    assert (type(back), back.message, back.metadata) == (row.error, "what went wrong", {"taskId": "t1"})


def test_violations_and_delays_come_back():
    violation = FieldViolation(field="message.parts[0]", description="is empty")
    assert load_status(*dump_status(InvalidParamsError(violations=[violation]))).violations == (violation,)
    busy = load_status(*dump_status(UnavailableError(retry_after=timedelta(seconds=2.5))))
    assert isinstance(busy, UnavailableError)
    assert busy.retry_after == timedelta(seconds=2.5)


def test_the_reason_is_a_peer_s_own_if_the_table_has_none():
    assert load_status(*dump_status(A2AError("no", reason="OUT_OF_TEA"))).reason == "OUT_OF_TEA"


def test_an_error_fits_into_the_trailers_of_any_peer():
    violations = [FieldViolation(field="f" * 200, description="d" * 2000)] * 20
    status = dump_status(InvalidParamsError("m" * 10_000, violations=violations))
    assert len(status.details) <= MAX_DETAILS_BYTES
    assert isinstance(load_status(*status), InvalidParamsError)


@pytest.mark.parametrize(
    "code, kind",
    [
        ("UNAUTHENTICATED", UnauthenticatedError),
        ("PERMISSION_DENIED", PermissionDeniedError),
        ("UNAVAILABLE", UnavailableError),
        ("NOT_FOUND", A2AError),
    ],
)
def test_without_details_only_some_codes_mean_one_thing(code, kind):
    assert type(load_status(code, "no")) is kind


def test_details_that_nobody_knows_are_passed_over():
    status = dump_status(TaskNotFoundError())
    assert isinstance(
        load_status("NOT_FOUND", "x", status.details.replace(b"ErrorInfo", b"ErrorTale")), A2AError
    )


@THOROUGH
@given(st.binary(max_size=100))
def test_any_bytes_make_an_error(details):
    assert isinstance(load_status("INTERNAL", "broken", details), A2AError)
