"""The manifest holds in both directions."""

from tests.interaction.checklist import DEFERRED, INAPPLICABLE
from tests.interaction.requirements import REQUIREMENTS, count, describe, find_tests


def test_every_row_of_the_checklist_is_there_once():
    assert len(REQUIREMENTS) == 366


def test_no_row_has_two_reasons_to_have_no_test():
    reasons = [*DEFERRED.values(), *INAPPLICABLE.values()]
    named = [row_id for ids in reasons for row_id in ids.split()]
    assert len(named) == len(set(named))


def test_every_requirement_that_a_test_names_exists():
    assert set(find_tests()) - set(REQUIREMENTS) == set()


def test_every_row_without_a_reason_has_a_test():
    tests = find_tests()
    assert [row.id for row in REQUIREMENTS.values() if row.status == "covered" and row.id not in tests] == []


def test_no_row_with_a_test_also_has_a_reason_to_have_none():
    assert [row_id for row_id in find_tests() if REQUIREMENTS[row_id].reason] == []


def test_what_pytest_collects_is_what_was_read_off_the_source(request):
    tests = find_tests()
    for item in request.session.items:
        path, _, name = item.nodeid.partition("[")[0].partition("::")
        for mark in item.iter_markers("requirement"):
            assert all(f"{path}::{name}" in tests.get(row_id, []) for row_id in mark.args), item.nodeid


def test_the_manifest_is_counted(capsys):
    assert sum(count().values()) == len(REQUIREMENTS)
    with capsys.disabled():
        print(f"\n{next(describe())}")  # noqa: T201 - the count belongs into the report of the tests
