"""A caller sees only its own tasks, and cannot tell a foreign one from one that does not exist (I11, ERR-13)."""

import itertools

import pytest

from dragoman.engine import Call, Turn
from dragoman.model import TaskNotFoundError, TaskState
from dragoman.security import Principal
from tests.unit.engine.kit import (
    COMPLETED,
    INPUT_REQUIRED,
    Host,
    Receiver,
    ScriptedHandler,
    Stage,
    Vault,
    Work,
    nothing,
    question,
    serving,
    states,
    take,
    until,
)
from tests.unit.engine.test_pushing import Configs, hook

CALLERS = [
    Call(Principal(subject=subject, tenant=tenant))
    for subject, tenant in itertools.product(("", "ada", "bob"), ("", "acme"))
]
OTHERS = [(owner, other) for owner in CALLERS for other in CALLERS if owner != other]


def attempts(host: Host, task_id: str, call: Call):
    configs = Configs(host, call)
    return {
        "get": lambda: host.get(task_id, call=call),
        "send": lambda: host.send(task_id=task_id, call=call),
        "stream": lambda: host.stream(task_id=task_id, call=call),
        "cancel": lambda: host.cancel(task_id, call=call),
        "subscribe": lambda: host.subscribe(task_id, call=call),
        "create": lambda: configs.create(hook(task_id)),
        "read": lambda: configs.get(task_id, "p"),
        "list": lambda: configs.list(task_id),
        "delete": lambda: configs.delete(task_id, "p"),
    }


async def explain(attempt) -> str:
    try:
        await attempt()
    except TaskNotFoundError as error:
        return str(error)
    return "allowed"


@pytest.mark.parametrize("owner,other", OTHERS)
async def test_a_foreign_task_looks_like_none_to_every_operation(owner: Call, other: Call):
    async def ask(turn: Turn) -> None:
        await turn.ask(question(turn, "?"))

    stage = Stage()
    works: dict[str, Work] = {"ask": ask, "work": stage, "end": nothing}

    async def work(turn: Turn) -> None:
        await works[turn.request.message.text](turn)

    async with serving(work, sender=Receiver()) as host:
        tasks = [await host.begin(text, call=owner, push=hook(config_id="p")) for text in works]
        for task in tasks:
            for operation, attempt in attempts(host, task.id, other).items():
                unknown = attempts(host, "no-such-task", other)[operation]
                assert await explain(attempt) == await explain(unknown), operation
        assert (await host.list(call=other)).total_size == 0
        assert (await host.list(call=owner)).total_size == 3
        assert (await host.list(call=other, context_id=tasks[0].context_id)).tasks == ()
        assert all(live.users == 0 for live in host.lives.values())


async def test_a_foreign_task_of_a_dead_process_looks_like_none():
    store = Vault()

    async def ask(turn: Turn) -> None:
        await turn.ask(question(turn, "?"))

    ada, bob = CALLERS[2], CALLERS[4]
    async with serving(ScriptedHandler(ask, is_idempotent=True), store=store) as host:
        task = await host.send(call=ada)
    async with serving(ScriptedHandler(ask, is_idempotent=True), store=store, sender=Receiver()) as host:
        for operation, attempt in attempts(host, task.id, bob).items():
            assert await explain(attempt) == "task not found", operation
        assert (await host.get(task.id, call=ada)).state is INPUT_REQUIRED
        assert (await host.send(task_id=task.id, call=ada)).state is COMPLETED
        await until(lambda: host.is_idle)


async def test_the_memory_of_a_conversation_is_its_owners():
    seen: list[bytes | None] = []

    async def remember(turn: Turn) -> None:
        seen.append(await turn.load_state())
        turn.save_state(b"secret")

    async with serving(remember) as host:
        for call in CALLERS:
            await host.send(context_id="shared", call=call)
        assert seen == [None] * len(CALLERS)
        await host.send(context_id="shared", call=CALLERS[0])
        assert seen[-1] == b"secret"


async def test_two_callers_in_one_context_do_not_see_each_others_tasks():
    async with serving(nothing) as host:
        for call in CALLERS:
            await host.send(context_id="shared", call=call)
        for call in CALLERS:
            assert (await host.list(context_id="shared", call=call)).total_size == 1


async def test_scopes_and_claims_do_not_change_whose_a_task_is():
    stage = Stage()
    async with serving(stage) as host:
        task = await host.begin(call=Call(Principal(subject="ada", scopes=frozenset({"a"}))))
        again = Call(Principal(subject="ada", claims={"iat": 1}))
        stream = await host.subscribe(task.id, call=again)
        assert states(await take(stream, 1))[0] in {TaskState.SUBMITTED, TaskState.WORKING}
        await stream.aclose()
        stage.go.set()
        assert (await host.ended(task.id, call=again)).state is COMPLETED
