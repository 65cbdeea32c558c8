from dragoman.cli.banner import Banner
from dragoman.cli.listening import get_address, is_everywhere, listen
from dragoman.cli.output import Output
from dragoman.cli.showing import show_card, show_task, show_tasks, show_time
from dragoman.model import (
    AgentCapabilities,
    AgentCard,
    AgentCardSignature,
    AgentExtension,
    AgentInterface,
    AgentProvider,
    AgentSkill,
    Message,
    Part,
    Role,
    SecurityRequirement,
    StringList,
    Task,
    TaskState,
    TaskStatus,
)

CARD = AgentCard(
    name="Full",
    description="Says everything",
    version="2.0",
    supported_interfaces=(
        AgentInterface(url="https://a", protocol_binding="JSONRPC", protocol_version="1.0"),
        AgentInterface(url="b:443", protocol_binding="GRPC", protocol_version="1.0"),
    ),
    provider=AgentProvider(url="https://example.com", organization="Example"),
    documentation_url="https://docs",
    capabilities=AgentCapabilities(
        streaming=True, extended_agent_card=True, extensions=(AgentExtension(uri="urn:x", required=True),)
    ),
    security_requirements=(
        SecurityRequirement(schemes={"key": StringList(), "oauth": StringList()}),
        SecurityRequirement(schemes={"basic": StringList()}),
    ),
    default_input_modes=("text/plain",),
    default_output_modes=("text/plain", "application/json"),
    skills=(
        AgentSkill(
            id="s",
            name="S",
            description="Does it",
            tags=("t",),
            examples=("do",),
            input_modes=("a/b",),
            output_modes=("c/d",),
        ),
    ),
    signatures=(AgentCardSignature(protected="x", signature="y"),),
)


def test_a_card_is_shown_with_everything_that_it_says():
    lines = [line.strip() for line in show_card(CARD).splitlines() if line.strip()]
    assert lines == [
        "Full 2.0",
        "Says everything",
        "address   https://a  (JSONRPC 1.0)",
        "b:443  (GRPC 1.0)",
        "can       stream, an extended card",
        "takes     text/plain",
        "gives     text/plain, application/json",
        "access    key and oauth or basic",
        "by        Example  https://example.com",
        "read      https://docs",
        "speaks    urn:x (required)",
        "signed    by 1, not checked here",
        "Skills",
        "s: Does it",
        "such as 'do'",
        "takes a/b",
        "gives c/d",
        "tags t",
    ]


def test_a_task_whose_status_speaks_is_shown_with_its_words():
    message = Message(message_id="m", role=Role.AGENT, parts=(Part.of_text("one\ntwo"),))
    task = Task(id="t", context_id="c", status=TaskStatus(state=TaskState.WORKING, message=message))
    assert show_task(task).splitlines()[-2:] == ["  agent    one", "           two"]
    assert show_tasks([task]).endswith("one two")
    assert show_time(None) == "unknown"


def test_what_was_said_last_is_cut_to_fit_a_line():
    message = Message(message_id="m", role=Role.USER, parts=(Part.of_text("word " * 50),))
    task = Task(id="t", status=TaskStatus(state=TaskState.WORKING), history=(message,))
    assert show_tasks([task]).endswith("word…")


def test_a_banner_tells_what_an_operator_should_know(monkeypatch, capsys):
    monkeypatch.setattr("dragoman.cli.banner.is_fast", lambda: False)
    banner = Banner(
        {"": "Greeter"},
        "http://127.0.0.1:1",
        ("memory:",),
        workers=3,
        is_everywhere=True,
        grpc={"": "127.0.0.1:2"},
    )
    banner.show(Output())
    text = capsys.readouterr().out
    assert "in memory: they are forgotten when it stops" in text
    assert "3 processes share the tasks" in text
    assert "other machines can reach it" in text
    assert "pip install 'dragoman[fast]'" in text


def test_an_address_leads_to_the_socket():
    with listen("127.0.0.1", 0) as listener:
        assert get_address(listener) == f"http://127.0.0.1:{listener.getsockname()[1]}"
    assert is_everywhere("0.0.0.0")
    assert not is_everywhere("127.0.0.1")
