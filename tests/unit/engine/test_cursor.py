"""Page tokens are ours, or they are refused (LST-07)."""

import base64

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dragoman.engine.cursor import dump_cursor, load_cursor
from dragoman.model import InvalidParamsError

_texts = st.text(st.characters(codec="utf-8"))


@given(st.integers(0, 2**53 - 1), _texts)
def test_a_token_leads_back_to_its_place(status_at: int, task_id: str):
    assert load_cursor(dump_cursor(status_at, task_id)) == (status_at, task_id)


def is_ours(token: str) -> bool:
    try:
        place = load_cursor(token)
    except InvalidParamsError:
        return False
    assert dump_cursor(*place) == token
    assert 0 <= place[0] < 2**53
    return True


@given(st.text())
@example("")
@example("=")
@example("\ud800")
@example("é")
@example("A" * 10_000)
def test_any_text_is_a_token_of_ours_or_refused(token: str):
    is_ours(token)


@given(st.binary())
@example(b"-1 x")
@example(b"1")
@example(b"1_0 x")
@example(b" 1 x")
@example(b"+1 x")
@example(b"01 x")
@example(b"9" * 5_000 + b" x")
@example(b"9007199254740992 x")
@example("١ x".encode())
@example(b"1 \xff")
@example(b'{"ts":1,"id":"x"}')
def test_any_bytes_in_base64_are_a_token_of_ours_or_refused(data: bytes):
    token = base64.urlsafe_b64encode(data).decode()
    is_ours(token)
    is_ours(token.rstrip("="))


@given(st.integers(0, 2**53 - 1), _texts, st.data())
def test_a_token_with_a_changed_character_is_never_taken_for_the_same_place(
    status_at: int, task_id: str, data: st.DataObject
):
    token = dump_cursor(status_at, task_id)
    at = data.draw(st.integers(0, len(token) - 1))
    changed = token[:at] + data.draw(st.characters()) + token[at + 1 :]
    if changed != token and is_ours(changed):
        assert load_cursor(changed) != (status_at, task_id)


@pytest.mark.parametrize("variant", ["{}=", "{}==", "{} ", " {}", "{}\n", "+{}", "{}/"])
def test_variants_of_a_token_are_refused(variant: str):
    assert not is_ours(variant.format(dump_cursor(1, "x")))
