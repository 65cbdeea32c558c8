import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dragoman import Agent, Agents
from dragoman.cli.failures import CommandError
from dragoman.cli.loading import load_app, read_target
from tests.unit.cli.processes import GREETER


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Iterator[Path]:
    """A working directory to import from; what is imported is forgotten after the test."""
    known = set(sys.modules)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    yield tmp_path
    for name in set(sys.modules) - known:
        del sys.modules[name]


def load_agent(text: str) -> Agent:
    app = load_app(text)
    assert isinstance(app, Agent)
    return app


def test_an_agent_is_found_by_module_and_attribute(folder):
    (folder / "greeter1.py").write_text(GREETER.replace("agent", "bot"))
    assert load_agent("greeter1:bot").name == "Greeter"


def test_the_attribute_is_called_agent_unless_another_is_named(folder):
    (folder / "greeter2.py").write_text(GREETER)
    assert load_agent("greeter2").name == "Greeter"


def test_the_only_agent_of_a_module_needs_no_name(folder):
    (folder / "greeter3.py").write_text(GREETER.replace("agent", "bot"))
    assert load_agent("greeter3").name == "Greeter"


def test_an_agent_is_found_by_its_file(folder):
    (folder / "below").mkdir()
    (folder / "below" / "greeter4.py").write_text(GREETER)
    assert load_agent("below/greeter4.py").name == "Greeter"
    assert load_agent(f"{folder}/below/greeter4.py:agent").name == "Greeter"


def test_a_file_may_import_its_neighbours(folder):
    (folder / "below").mkdir()
    (folder / "below" / "names5.py").write_text("NAME = 'Neighbour'")
    (folder / "below" / "greeter5.py").write_text(
        "import names5\nfrom dragoman import Agent\nagent = Agent(names5.NAME)"
    )
    assert load_agent("below/greeter5.py").name == "Neighbour"


def test_a_file_of_a_package_may_import_relatively(folder):
    package = folder / "package6" / "inner"
    package.mkdir(parents=True)
    for place in (folder / "package6", package):
        (place / "__init__.py").touch()
    (package / "names.py").write_text("NAME = 'Inner'")
    (package / "greeter.py").write_text(
        "from .names import NAME\nfrom dragoman import Agent\nagent = Agent(NAME)"
    )
    assert load_agent("package6/inner/greeter.py").name == "Inner"


def test_several_agents_are_one_app(folder):
    source = GREETER + "\nfrom dragoman import Agents\napp = Agents({'/greet': agent})"
    (folder / "greeter7.py").write_text(source)
    assert isinstance(load_app("greeter7:app"), Agents)
    assert isinstance(load_app("greeter7:agent"), Agent)


@pytest.mark.parametrize(
    "source, target, words",
    [
        ("", "nosuch8", "there is no module 'nosuch8'"),
        ("", "nosuch8.py", "there is no file 'nosuch8.py'"),
        ("", "case8.deeper:agent", "there is no module 'case8.deeper'"),
        ("def f(:", "case8", "invalid syntax, in"),
        ("import nosuchlib", "case8", "No module named 'nosuchlib', in"),
        ("x = 1\n1 / 0\n", "case8.py", "line 2: 1 / 0"),
        ("raise SystemExit('no key')", "case8", "SystemExit: no key"),
        ("", "case8", "'case8' has no 'agent'; make one with"),
        ("agent = 1", "case8", "'agent' in 'case8' is no Agent but a int"),
        (GREETER, "case8:bot", "'case8' has no 'bot'; it has case8:agent"),
        (GREETER, "case8:agent.name", "is no Agent but a str"),
        ("from dragoman import Agent\nagent = Agent('')", "case8", "an agent needs a name and a version"),
    ],
)
def test_what_cannot_be_loaded_is_told_in_words(folder, source, target, words):
    (folder / "case8.py").write_text(source)
    with pytest.raises(CommandError) as caught:
        load_app(target)
    assert words in str(caught.value)


def test_a_file_named_like_a_module_that_is_loaded_is_refused(folder):
    (folder / "json.py").write_text(GREETER)
    with pytest.raises(CommandError, match="has the name of another module, 'json'"):
        load_app("json.py")


@pytest.mark.parametrize(
    "text, name",
    [
        ("greeter", "greeter"),
        ("greeter:agent", "greeter"),
        ("greeter:bot", "greeter-bot"),
        ("a.b.greeter", "greeter"),
    ],
)
def test_the_files_of_an_agent_are_named_after_it(text, name):
    assert read_target(text).name == name
