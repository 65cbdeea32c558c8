"""Cards and tasks laid out for a person."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from dragoman.cli.parts import show_artifact, show_message
from dragoman.cli.telling import name_state
from dragoman.model import AgentCard, AgentSkill, Artifact, Message, Role, Task, Timestamp

_WHO = {Role.USER: "caller", Role.AGENT: "agent"}


def show_card(card: AgentCard) -> str:
    """Who an agent is, where it answers, and what it can do."""
    lines = [f"{card.name} {card.version}", f"  {card.description}", ""]
    for title, texts in _list_facts(card):
        lines += [f"  {title if not index else '':<9} {text}" for index, text in enumerate(texts)]
    lines += ["", "Skills" if card.skills else "It has no skills."]
    for skill in card.skills:
        lines += _show_skill(skill)
    return "\n".join(lines)


def _list_facts(card: AgentCard) -> Iterator[tuple[str, list[str]]]:
    yield (
        "address",
        [
            f"{entry.url}  ({entry.protocol_binding} {entry.protocol_version})"
            for entry in card.supported_interfaces
        ],
    )
    capabilities = card.capabilities
    can = {
        "stream": capabilities.streaming,
        "push notifications": capabilities.push_notifications,
        "an extended card": capabilities.extended_agent_card,
    }
    yield (
        "can",
        [", ".join(name for name, is_declared in can.items() if is_declared) or "answer; it does not stream"],
    )
    yield "takes", [", ".join(card.default_input_modes)]
    yield "gives", [", ".join(card.default_output_modes)]
    yield "access", [_show_access(card)]
    if card.provider:
        yield "by", [f"{card.provider.organization}  {card.provider.url}"]
    if card.documentation_url:
        yield "read", [card.documentation_url]
    if capabilities.extensions:
        yield (
            "speaks",
            [f"{entry.uri}{' (required)' if entry.required else ''}" for entry in capabilities.extensions],
        )
    if card.signatures:
        yield "signed", [f"by {len(card.signatures)}, not checked here"]


def _show_access(card: AgentCard) -> str:
    ways = [
        " and ".join(requirement.schemes) for requirement in card.security_requirements if requirement.schemes
    ]
    return " or ".join(ways) or "not said: the card asks for no credentials"


def _show_skill(skill: AgentSkill) -> Iterator[str]:
    yield f"  {skill.id}: {skill.description}"
    if skill.examples:
        yield f"    such as {', '.join(repr(example) for example in skill.examples)}"
    if skill.input_modes:
        yield f"    takes {', '.join(skill.input_modes)}"
    if skill.output_modes:
        yield f"    gives {', '.join(skill.output_modes)}"
    if skill.tags:
        yield f"    tags {', '.join(skill.tags)}"


def show_task(task: Task) -> str:
    """One task with its history and its artifacts."""
    lines = [
        f"task {task.id}",
        f"  it       {name_state(task.state)}",
        f"  since    {show_time(task.status.timestamp)}",
        f"  context  {task.context_id}",
    ]
    said = [*task.history, *([task.status.message] if task.status.message else ())]
    lines += [f"  {_WHO[message.role]:<8} {_indent(show_message(message.parts))}" for message in said]
    artifacts = task.artifacts if isinstance(task.artifacts, tuple) else ()
    for artifact in artifacts:
        lines.append(f"  result   {_title(artifact)}")
        lines.append(f"           {_indent(show_artifact(artifact.parts))}")
    return "\n".join(lines)


def show_tasks(tasks: Iterable[Task]) -> str:
    """One line for each task."""
    return "\n".join(
        f"{task.id}  {task.state.name.lower().replace('_', '-'):<14}  {show_time(task.status.timestamp):<19}  {_summarize(task)}"
        for task in tasks
    )


def show_time(moment: Timestamp | None) -> str:
    """Local time to the second."""
    return (
        datetime.fromtimestamp(moment.timestamp()).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        if moment
        else "unknown"
    )


def _summarize(task: Task) -> str:
    said: tuple[Message, ...] = (task.status.message,) if task.status.message else task.history
    words = " ".join(show_message(said[-1].parts).split()) if said else ""
    return words if len(words) <= 50 else words[:49] + "…"


def _title(artifact: Artifact) -> str:
    return " ".join(filter(None, (artifact.name or artifact.artifact_id, artifact.description)))


def _indent(text: str) -> str:
    return text.rstrip("\n").replace("\n", "\n           ")
