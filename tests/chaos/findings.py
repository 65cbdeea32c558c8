"""What there is to find in the files after the killing, and whether it agrees with what the callers saw."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dragoman.engine.entries import LogEntry, load_entry
from dragoman.engine.journal import StepKind, StepRecord
from dragoman.model import Event, Task, TaskState, TaskStatus, TaskStatusUpdateEvent
from dragoman.store import Scope, TaskQuery, TaskStore
from tests.chaos.agent import CHUNKS
from tests.chaos.callers import Record

REASONS = ("the agent stopped while it worked", "the agent's process has died several times")


@dataclass(frozen=True, slots=True)
class Log:
    """One task's log, as it lies in the file."""

    task_id: str
    entries: tuple[LogEntry, ...]

    @property
    def statuses(self) -> list[TaskStatus]:
        """Every status that the task has had, the one it was born with included."""
        statuses: list[TaskStatus] = []
        for entry in self.entries:
            if entry.task is not None:
                statuses.append(entry.task.status)
            elif entry.status_update is not None:
                statuses.append(entry.status_update.status)
        return statuses

    @property
    def state(self) -> TaskState:
        return self.statuses[-1].state

    @property
    def steps(self) -> Mapping[str, list[StepRecord]]:
        """The records of each step, by the key that its attempts have."""
        steps: defaultdict[str, list[StepRecord]] = defaultdict(list)
        for entry in self.entries:
            record = entry.recorded
            if record is not None and record.kind is StepKind.STEP:
                steps[f"{self.task_id}/{record.branch}/{record.position}"].append(record)
        return steps

    @property
    def received(self) -> list[str]:
        return [entry.received.text for entry in self.entries if entry.received is not None]

    @property
    def restarts(self) -> int:
        return sum(entry.restarted for entry in self.entries)


def show_log(log: Log) -> str:
    """The log in words, for whoever looks for what went wrong."""
    return "\n".join(f"      {number} {_show_entry(entry)}" for number, entry in enumerate(log.entries, 1))


def _show_entry(entry: LogEntry) -> str:
    if entry.status_update is not None:
        return _show([entry.status_update.status])
    if entry.recorded is not None:
        record = entry.recorded
        return f"{record.kind.value} {record.name} {record.place} {'done' if record.is_done else 'begun'}"
    if entry.artifact_update is not None:
        return f"artifact {[part.text for part in entry.artifact_update.artifact.parts]}"
    if entry.received is not None:
        return f"received {entry.received.text!r}"
    return "restarted" if entry.restarted else "task"


async def read_logs(store: TaskStore, agent: str) -> dict[str, Log]:
    """Every task that lies in the store."""
    logs: dict[str, Log] = {}
    after: tuple[int, str] | None = None
    while True:
        page = await store.list_tasks(Scope(agent, "", ""), TaskQuery(limit=100, after=after))
        for stored in page.tasks:
            entries = await store.read(stored.task_id, 0, 1_000_000)
            assert len(entries) == stored.last_seq
            logs[stored.task_id] = Log(stored.task_id, tuple(load_entry(data) for data in entries))
        if not page.has_more:
            return logs
        after = (page.tasks[-1].header.status_at, page.tasks[-1].task_id)


def check_stream(events: Sequence[Event], log: Log) -> str:
    """What is wrong with the statuses that one reader saw: each after its first one once, in order, to a settled one."""
    first, *rest = events
    known = log.statuses
    if not isinstance(first, Task):
        return f"it begins with {type(first).__name__}"
    if first.status not in known:
        return f"it begins with a status that the log does not have: {_show([first.status])}"
    seen = [event.status for event in rest if isinstance(event, TaskStatusUpdateEvent)]
    if any(isinstance(event, Task) for event in rest):
        return "it has a second snapshot"
    start = known.index(first.status) + 1
    wanted = known[start : start + len(seen)]
    if seen != wanted:
        return f"saw {_show(seen)} after {_show([first.status])}; the log has {_show(known[start:])}"
    last = seen[-1] if seen else first.status
    if not last.state.is_settled:
        return f"it ended with {_show([last])}"
    return ""


def count_repeats(events: Sequence[Event]) -> int:
    """How many statuses of a stream its reader had seen before."""
    seen = [event.status for event in events if isinstance(event, TaskStatusUpdateEvent)]
    return sum(status in seen[:index] for index, status in enumerate(seen))


def _show(statuses: Iterable[TaskStatus]) -> str:
    return ", ".join(
        f"{status.state.name}({status.message.text if status.message else ''})" for status in statuses
    )


def check_end(record: Record, log: Log) -> str:
    """What is wrong with how the task ended, if it is not as its caller was promised."""
    status = log.statuses[-1]
    if status.state is TaskState.FAILED:
        text = status.message.text if status.message else ""
        return "" if text.startswith(REASONS) else f"it failed: {text!r}"
    if record.skill == "slow":
        return "" if status.state is TaskState.CANCELED else f"it was canceled and is {status.state.name}"
    if record.skill == "ask" and status.state is TaskState.INPUT_REQUIRED:
        return ""  # nobody answered, or check_received() has something to say
    return "" if status.state is TaskState.COMPLETED else f"it is {status.state.name}"


def check_received(record: Record, log: Log) -> str:
    """What is wrong with what the task heard: its caller's answer, once."""
    if record.refusal:
        return f"its answer was refused: {record.refusal}"
    wanted = [record.answer] if record.answer else []
    return "" if log.received == wanted else f"it was told {wanted} and heard {log.received}"


def check_text(record: Record, log: Log, view: Task) -> str:
    """What is wrong with the text of a task that has completed, as a reader put it together."""
    if log.state is not TaskState.COMPLETED or not view.state.is_terminal:
        return ""
    wanted = {
        "steps": f"made steps for {record.key}",
        "chunks": "".join(f"{number} " for number in range(CHUNKS)),
        "ask": f"you said {record.answer}",
    }[record.skill]
    text = "".join(part.text or "" for artifact in view.artifacts or () for part in artifact.parts)
    return "" if text == wanted else f"it reads {text!r}"


def read_effects(path: Path) -> dict[str, list[tuple[int, str]]]:
    """What the steps did to the world, in order: by key, the number of the attempt and its trace."""
    effects: defaultdict[str, list[tuple[int, str]]] = defaultdict(list)
    for line in path.read_text().splitlines():
        key, number, trace = line.split()
        effects[key].append((int(number), trace))
    return effects


def check_effects(key: str, effects: Sequence[tuple[int, str]], records: Sequence[StepRecord]) -> str:
    """What is wrong with a step: at most one effect of each attempt that is on record, and none after its result."""
    attempts = [record for record in records if not record.is_done]
    ends = [record for record in records if record.is_done]
    numbers = Counter(number for number, _ in effects)
    if len(ends) > 1 or (ends and records[-1] is not ends[0]):
        return f"step {key} went on after its result was recorded"
    if any(count > 1 for count in numbers.values()) or not numbers.keys() <= set(range(1, len(attempts) + 1)):
        return f"step {key} has {len(attempts)} attempts on record, and the effects of {sorted(numbers.elements())}"
    if ends and (not effects or effects[-1][1] != ends[0].result):
        return f"step {key} has its result {ends[0].result!r} on record, and the effects {effects}"
    return ""
