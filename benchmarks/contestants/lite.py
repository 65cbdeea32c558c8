# mypy: ignore-errors
# a2a-lite is not installed where types are checked.
"""a2a-lite's agent. Its messages name the skill in JSON; a skill with `task=True` makes a task that can be read later."""

from a2a_lite import Agent

agent = Agent(name="Bench", description="Does what it is measured at")


@agent.skill("echo", task=True)
async def echo(text: str) -> str:
    return text


@agent.skill("message")
async def message(text: str) -> str:
    return text


@agent.skill("stream", streaming=True)
async def stream(text: str):
    for number in range(int(text.split()[1])):
        yield f"chunk {number} "


app = agent.get_app()
