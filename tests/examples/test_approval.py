"""A purchase ends once and is paid once, whenever its agent is killed."""

from pathlib import Path

import pytest

from dragoman import TaskState
from examples.approval.demo import MOMENTS, Moment, Outcome, buy

WAITING, APPROVED, PAID = MOMENTS

pytestmark = pytest.mark.slow


async def buy_once(moment: Moment, folder: Path) -> Outcome:
    outcome = await buy(moment, folder)
    assert outcome.task.state is TaskState.COMPLETED
    assert outcome.payments == 1
    artifacts = outcome.task.artifacts or ()
    assert len(artifacts) == 1
    assert [part.data for part in artifacts[0].parts] == [{"number": 1, "item": "bicycle", "price": 450}]
    return outcome


async def test_a_purchase_killed_between_question_and_answer(tmp_path):
    outcome = await buy_once(WAITING, tmp_path)
    assert outcome.requests == 1


async def test_a_purchase_killed_between_answer_and_payment(tmp_path):
    outcome = await buy_once(APPROVED, tmp_path)
    assert outcome.requests == 1


async def test_a_purchase_killed_right_after_the_payment_asks_for_it_again_under_the_same_key(tmp_path):
    outcome = await buy_once(PAID, tmp_path)
    assert outcome.requests == 2
