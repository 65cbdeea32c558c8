-- The schema of version 1 as it was released, and a little data in it. Never edited.

CREATE TABLE scopes (
    id INTEGER PRIMARY KEY,
    agent TEXT NOT NULL,
    tenant TEXT NOT NULL,
    owner TEXT NOT NULL,
    UNIQUE (agent, tenant, owner)
);
CREATE TABLE tasks (
    id INTEGER PRIMARY KEY,
    task_id TEXT NOT NULL UNIQUE,
    scope INTEGER NOT NULL,
    context_id TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    state INTEGER NOT NULL,
    status_at INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    holder TEXT NOT NULL
);
CREATE INDEX tasks_by_status ON tasks (scope, status_at, task_id);
CREATE INDEX tasks_by_state ON tasks (scope, state, status_at, task_id);
CREATE INDEX tasks_by_context ON tasks (scope, context_id, status_at, task_id);
CREATE INDEX tasks_by_holder ON tasks (holder) WHERE holder <> '';
CREATE TABLE segments (
    id INTEGER PRIMARY KEY,
    task INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX segments_by_task ON segments (task, last_seq);
CREATE TABLE snapshots (task INTEGER PRIMARY KEY, seq INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE contexts (
    scope INTEGER NOT NULL,
    context_id TEXT NOT NULL,
    state BLOB NOT NULL,
    PRIMARY KEY (scope, context_id)
);
CREATE TABLE workers (holder TEXT PRIMARY KEY, alive_until INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE webhooks (
    task INTEGER NOT NULL,
    config_id TEXT NOT NULL,
    config BLOB NOT NULL,
    cursor INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    next_attempt_at INTEGER NOT NULL DEFAULT 0,
    failing_since INTEGER NOT NULL DEFAULT 0,
    last_error TEXT NOT NULL DEFAULT '',
    is_dead INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (task, config_id)
);
CREATE INDEX webhooks_due ON webhooks (next_attempt_at, task, config_id) WHERE cursor < last_seq AND is_dead = 0;
CREATE TRIGGER webhooks_follow AFTER UPDATE OF last_seq ON tasks BEGIN
    UPDATE webhooks SET last_seq = new.last_seq WHERE task = new.id;
END;
CREATE TABLE totals (
    scope INTEGER NOT NULL,
    state INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    PRIMARY KEY (scope, state)
) WITHOUT ROWID;
CREATE TRIGGER totals_grow AFTER INSERT ON tasks BEGIN
    INSERT INTO totals VALUES (new.scope, new.state, 1) ON CONFLICT (scope, state) DO UPDATE SET tasks = tasks + 1;
END;
CREATE TRIGGER totals_move AFTER UPDATE OF state ON tasks WHEN new.state <> old.state BEGIN
    UPDATE totals SET tasks = tasks - 1 WHERE scope = old.scope AND state = old.state;
    INSERT INTO totals VALUES (new.scope, new.state, 1) ON CONFLICT (scope, state) DO UPDATE SET tasks = tasks + 1;
END;

INSERT INTO scopes VALUES (1, 'greeter', 'acme', 'ada'), (2, 'greeter', 'acme', 'bob');
INSERT INTO tasks VALUES
    (1, 'done', 1, 'talk', 1000, 3, 1000, 3, 1, ''),
    (2, 'failed', 1, 'talk', 1100, 4, 1100, 1, 2, ''),
    (3, 'running', 1, 'talk', 1200, 2, 1200, 2, 1, 'worker'),
    (4, 'parked', 2, 'walk', 1300, 6, 1300, 1, 1, '');
INSERT INTO segments VALUES
    (1, 1, 1, 2, CAST('{"n":1}' || char(10) || '{"n":2}' AS BLOB)),
    (2, 1, 3, 3, CAST('{"n":3}' AS BLOB)),
    (3, 2, 1, 1, CAST('{"n":1}' AS BLOB)),
    (4, 3, 1, 1, CAST('{"n":1}' AS BLOB)),
    (5, 3, 2, 2, CAST('{"n":2}' AS BLOB)),
    (6, 4, 1, 1, CAST('{"n":1}' AS BLOB));
INSERT INTO snapshots VALUES (1, 3, CAST('three' AS BLOB)), (3, 1, CAST('one' AS BLOB));
INSERT INTO contexts VALUES (1, 'talk', CAST('memory' AS BLOB)), (2, 'walk', CAST('steps' AS BLOB));
INSERT INTO workers VALUES ('worker', 9000);
INSERT INTO webhooks VALUES
    (1, 'told', CAST('{}' AS BLOB), 3, 3, 0, 0, 0, '', 0),
    (3, 'behind', CAST('{}' AS BLOB), 1, 2, 1, 500, 400, '503', 0),
    (3, 'dead', CAST('{}' AS BLOB), 0, 2, 9, 0, 300, 'gone', 1);
PRAGMA user_version = 1;
