"""`dragoman send`."""

import asyncio
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import click

from dragoman.cli.contents import read_parts
from dragoman.cli.exits import Exit
from dragoman.cli.following import follow
from dragoman.cli.hints import describe_answer, takes_data
from dragoman.cli.options import peer_options
from dragoman.cli.output import Output, output_option
from dragoman.cli.peers import Header, Peer
from dragoman.cli.teaching import TeachingCommand
from dragoman.cli.telling import Teller
from dragoman.client import Client
from dragoman.model import Event, Message, Role, Task, wrap_event, wrap_reply


@click.command(cls=TeachingCommand, short_help="Send one message to an agent and print the answer.")
@peer_options
@click.argument("text", required=False)
@click.option("--data", multiple=True, metavar="JSON", help="Send this JSON as a data part.")
@click.option("--file", "files", multiple=True, type=click.Path(path_type=Path), help="Send this file.")
@click.option("--skill", default="", help="The id of the skill that is meant.")
@click.option("--context", default="", metavar="ID", help="Continue this conversation.")
@click.option("--task", default="", metavar="ID", help="Answer, or add to, this task.")
@click.option("--no-wait", is_flag=True, help="Come back as soon as the task exists, and print its id.")
@click.option("--stream", is_flag=True, help="Print the answer while it comes in.")
@output_option
def command(
    *,
    url: str,
    text: str | None,
    data: tuple[str, ...],
    files: tuple[Path, ...],
    skill: str,
    context: str,
    task: str,
    no_wait: bool,
    stream: bool,
    headers: tuple[Header, ...],
    timeout: float | None,
    out: Output,
) -> None:
    """Send one message to an agent and print the answer.

    TEXT is what to say, or - to read it from standard input.

      dragoman send http://127.0.0.1:8000 "Ada"
      dragoman send http://127.0.0.1:8000 --skill plan --data '{"city": "Rome", "days": 3}'
      dragoman send http://127.0.0.1:8000 --skill status
      cat report.txt | dragoman send http://127.0.0.1:8000 - --stream

    An agent that asks back ends the command with exit code 5; answer it with --task:

      dragoman send http://127.0.0.1:8000 --task 0a79... "the second one"

    With --json, standard output holds one document, {"task": ...} or {"message": ...}; with --stream as well, a line
    for each event as the protocol has it.
    """
    message = Message(
        message_id=uuid4().hex,
        role=Role.USER,
        parts=tuple(read_parts(text, data, files, skill)),
        context_id=context,
        task_id=task,
    )
    peer = Peer(url, headers, timeout)
    sending = Sending(url, message, skill, out)
    sys.exit(peer.run(sending.start if no_wait else sending.stream if stream else sending.wait))


@dataclass(frozen=True, slots=True)
class Sending:
    """One message on its way."""

    url: str
    message: Message
    skill: str
    out: Output

    async def start(self, client: Client) -> Exit:
        """Come back with the task as soon as there is one."""
        answer = await client.send(self.message, skill=self.skill, return_immediately=True)
        if isinstance(answer, Message):
            return self._finish(Teller(self.out), answer)
        self.out.document(wrap_reply(answer.task))
        self.out.say(answer.id)
        self.out.hint(f"follow it with: dragoman tasks tail {self.url} {answer.id}")
        return Exit.OK

    async def wait(self, client: Client) -> Exit:
        """Print the answer when it is complete."""
        prior = await self._get_prior(client)
        teller = Teller(self.out, prior)
        answer = await self._read(client, teller.tell_progress, prior)
        self.out.document(wrap_reply(answer))
        teller.tell_content(answer)
        return self._finish(teller, answer)

    async def stream(self, client: Client) -> Exit:
        """Print the answer while it comes in."""
        prior = await self._get_prior(client)
        teller = Teller(self.out, prior)

        def tell(event: Event) -> None:
            self.out.line(wrap_event(event))
            teller.tell(event)

        return self._finish(teller, await self._read(client, tell, prior))

    async def _get_prior(self, client: Client) -> Task | None:
        """The task that the message continues, as it was before."""
        return await client.get_task(self.message.task_id) if self.message.task_id else None

    async def _read(
        self, client: Client, on_event: Callable[[Event], None], prior: Task | None
    ) -> Task | Message:
        events = client.stream(self.message, skill=self.skill)
        try:
            return await follow(events, on_event, prior=prior)
        except asyncio.CancelledError:
            if task_id := events.view.task_id:
                self.out.note(
                    f"the agent goes on; see how far it is with: dragoman tasks tail {self.url} {task_id}"
                )
            raise

    def _finish(self, teller: Teller, answer: Task | Message) -> Exit:
        code = teller.finish(answer)
        if code is Exit.WAITING and isinstance(answer, Task):
            if wanted := describe_answer(answer):
                self.out.note(f"it expects {wanted}")
            said = "--data '...'" if takes_data(answer) else '"..."'
            self.out.note(f"answer with: dragoman send {self.url} --task {answer.id} {said}")
        elif answer.context_id:
            self.out.hint(f'go on with: dragoman send {self.url} --context {answer.context_id} "..."')
        return code
