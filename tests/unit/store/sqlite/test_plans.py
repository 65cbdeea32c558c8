"""What the loop of an engine asks often must not look at everything there is."""

import sqlite3
from contextlib import closing

import pytest

from dragoman.store.sqlite import appending, keys, signals, upkeep, webhooks
from dragoman.store.sqlite.schema import migrate

_SIBLINGS = "SELECT 1 FROM tasks WHERE scope = ? AND context_id = ?"
_VANISHING = [
    ("DELETE FROM segments WHERE task = ?", "segments_by_task"),
    ("DELETE FROM webhooks WHERE task = ?", "sqlite_autoindex_webhooks_1"),
    ("DELETE FROM signals WHERE task = ?", "signals_by_task"),
    ("DELETE FROM contexts WHERE scope = ? AND context_id = ?", "sqlite_autoindex_contexts_1"),
    (_SIBLINGS, "tasks_by_context"),
]

PLANS = [
    (appending.HEADS.spell(3), "tasks USING INDEX sqlite_autoindex_tasks_1"),
    (appending.ADVANCE.spell(3), "tasks USING INTEGER PRIMARY KEY"),
    (appending.CHANGE_STATUS.spell(3), "tasks USING INTEGER PRIMARY KEY"),
    (signals.HELD, "signals_by_holder"),
    (signals.OF_TASK, "signals_by_task"),
    (signals.TASK, "signals_by_task"),
    (signals.TAKE.spell(3), "signals USING INTEGER PRIMARY KEY (rowid=?)"),
    (keys.FIND, "keys USING PRIMARY KEY"),
    (keys.EXPIRIES.spell(3), "keys USING PRIMARY KEY"),
    (webhooks.DUE, "webhooks_due (next_attempt_at<?)"),
    (webhooks.LEASE, "webhooks USING INTEGER PRIMARY KEY"),
    (webhooks.DEAD, "webhooks_dead"),
    (upkeep.COMPACTABLE, "tasks_ended (is_compact=? AND status_at<?)"),
    (upkeep.FORGETTABLE, "tasks_ended (is_compact=? AND status_at<?)"),
    (upkeep.DROP_SEGMENTS, "segments_by_task (task=?)"),
    (upkeep.DROP_TASKS, "tasks USING INTEGER PRIMARY KEY"),
    (upkeep.DROP_KEYS, "keys_by_expiry (expires_at<?)"),
    *_VANISHING,
]


@pytest.fixture(scope="module")
def connection(tmp_path_factory):
    path = tmp_path_factory.mktemp("plans") / "tasks.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        migrate(connection, str(path))
        yield connection


def explain(connection, statement):
    values = [None] * max(statement.count("?"), 3)
    for count in range(len(values) + 1):
        try:
            rows = connection.execute(f"EXPLAIN QUERY PLAN {statement}", values[:count]).fetchall()
        except sqlite3.ProgrammingError:
            continue
        return [row[-1] for row in rows]
    raise AssertionError(statement)


@pytest.mark.parametrize("statement,index", PLANS)
def test_a_statement_seeks_in_its_index_and_scans_no_table(connection, statement, index):
    plan = explain(connection, statement)
    assert any(index in step for step in plan)
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    scans = [step for step in plan if step.startswith("SCAN") and tables & {*step.split()}]
    # What the due and the dead are ordered by is their index, which holds nothing else.
    assert all("USING INDEX webhooks_dead" in scan for scan in scans)


@pytest.mark.parametrize("statement", [signals.HELD, signals.OF_TASK, webhooks.DUE, webhooks.DEAD])
def test_what_comes_in_order_is_not_sorted(connection, statement):
    assert not [step for step in explain(connection, statement) if "TEMP B-TREE" in step]
