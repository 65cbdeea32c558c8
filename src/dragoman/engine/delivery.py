"""Webhooks: the log, read out to those who asked to be told (invariant I9).

A webhook keeps its own position on the log of its task, so what it was not told yet is what lies after it: nothing is
queued anywhere else, nothing is lost with the process, and each webhook gets its events in order.
"""

import asyncio
import hashlib
import logging
import random
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Protocol

from dragoman.engine.notices import compose
from dragoman.engine.pushing import load_config
from dragoman.engine.roster import Roster
from dragoman.engine.signals import wait_at_most
from dragoman.engine.writer import PUSH_TOPIC
from dragoman.model import A2AError, TaskPushNotificationConfig
from dragoman.store import PushDelivery

logger = logging.getLogger("dragoman.engine.delivery")

ID_HEADER = "webhook-id"
TOKEN_HEADER = "X-A2A-Notification-Token"  # noqa: S105 -- its name, not its value


class PushSender(Protocol):
    """Carries one notification to its webhook.

    Raises DeliveryError if the receiver cannot be reached, may not be called or does not answer with a 2xx.
    """

    async def __call__(self, url: str, headers: dict[str, str], body: bytes) -> None: ...


class DeliveryError(Exception):
    """A notification did not arrive. The text is for the operator."""


@dataclass(frozen=True, slots=True)
class DeliveryPolicy:
    """How hard to try to tell a webhook."""

    first_pause: timedelta = timedelta(seconds=1)
    """Before the second attempt at a notification; the later pauses double, each shortened by chance by up to a half."""
    longest_pause: timedelta = timedelta(minutes=5)
    """No pause is longer."""
    give_up_after: timedelta = timedelta(days=1)
    """A webhook that has failed for so long is dead: it is tried no more, until its operator says so."""
    attempt_timeout: timedelta = timedelta(seconds=30)
    """How long one attempt may take in all."""
    max_concurrent: int = 32
    """Webhooks that one process tells at a time."""
    max_batch: int = 64
    """Notifications that one webhook gets before the others have their turn."""

    def __post_init__(self) -> None:
        if min(self.first_pause, self.longest_pause, self.give_up_after) < timedelta():
            raise ValueError("a delivery policy takes no negative times")
        if self.attempt_timeout <= timedelta() or self.max_concurrent < 1 or self.max_batch < 1:
            raise ValueError(
                "a delivery policy needs an attempt_timeout above 0, and a max_concurrent and a max_batch of 1 or more"
            )

    def pause(self, attempts: int) -> timedelta:
        """Before the next attempt, after so many in a row have failed: doubling, with jitter."""
        pause = min(self.longest_pause, self.first_pause * 2.0 ** min(attempts - 1, 30))
        return pause * random.uniform(0.5, 1.0)  # noqa: S311 - jitter, not a secret


class Delivery:
    """Serves the webhooks of one agent."""

    def __init__(self, roster: Roster, sender: PushSender, policy: DeliveryPolicy) -> None:
        self._roster = roster
        self._sender = sender
        self._policy = policy
        self._busy: set[tuple[str, str]] = set()
        self._rung = asyncio.Event()

    async def run(self) -> None:
        """Deliver what is due, for ever."""
        stop = self._roster.bus.listen(PUSH_TOPIC, self._rung.set)
        try:
            while True:
                self._rung.clear()
                await self._start_due()
                await self._wait_a_while()
        finally:
            stop()

    async def _start_due(self) -> None:
        roster = self._roster
        room = self._policy.max_concurrent - len(self._busy)
        if room <= 0:
            return
        try:
            now = roster.clock().millis
            until = now + max(_LEASE, 2 * self._policy.attempt_timeout) // timedelta(milliseconds=1)
            due = await roster.store.due_push(roster.agent, now, until, room)
        except A2AError:
            logger.warning("the store does not answer; webhooks are served when it does")
            return
        for push in due:
            key = (push.task_id, push.config_id)
            if key not in self._busy and len(self._busy) < self._policy.max_concurrent:
                self._busy.add(key)
                roster.nursery.spawn(
                    partial(self._serve, push, until), name=f"webhook of task {push.task_id}"
                )

    async def _wait_a_while(self) -> None:
        await wait_at_most(_LOOK_EVERY.total_seconds(), self._rung.wait())

    async def _serve(self, push: PushDelivery, until: int) -> None:
        """Bring one webhook up to date, as far as the log and the lease reach, or to its next failure."""
        try:
            await self._roster.store.record_push(await self._tell(push, until))
        except asyncio.CancelledError:
            await self._roster.store.record_push(push)  # so that nobody has to wait for the lease to run out
            raise
        except A2AError:
            logger.warning("the store does not answer; webhook %s waits until it does", push.config_id)
            await asyncio.sleep(self._policy.pause(1).total_seconds())
        finally:
            self._busy.discard((push.task_id, push.config_id))
            self._rung.set()

    async def _tell(self, push: PushDelivery, until: int) -> PushDelivery:
        entries = await self._roster.store.read(push.task_id, push.cursor, self._policy.max_batch)
        if not entries:  # compacted away since
            return replace(push, cursor=push.last_seq)
        for data in entries:
            if self._is_late(until) or await self._is_gone(push):
                return push
            if problem := await self._send(push, data):
                return self._failed(push, problem)
            push = replace(
                push, cursor=push.cursor + 1, attempts=0, failing_since=0, last_error="", next_attempt_at=0
            )
        return push

    async def _send(self, push: PushDelivery, data: bytes) -> str:
        """Why the webhook could not be told of the entry; empty if it was told, or need not be."""
        try:
            notice = await compose(push, push.cursor + 1, data, self._roster.store)
            if notice is not None:
                config = load_config(push)
                headers = _headers(config, _name(push, push.cursor + 1), notice.content_type)
                async with asyncio.timeout(self._policy.attempt_timeout.total_seconds()):
                    await self._sender(config.url, headers, notice.body)
        except DeliveryError as error:
            return str(error) or "no reason given"
        except TimeoutError:
            return f"no answer within {self._policy.attempt_timeout}"
        except Exception as error:
            logger.exception("webhook %s of task %s cannot be told", push.config_id, push.task_id)
            return type(error).__name__
        return ""

    def _is_late(self, until: int) -> bool:
        """Whether one more attempt could take longer than the webhook is this process's alone."""
        longest = self._policy.attempt_timeout // timedelta(milliseconds=1)
        return self._roster.clock().millis + longest > until

    async def _is_gone(self, push: PushDelivery) -> bool:
        """Nothing is sent any more once the owner has removed or replaced the webhook (PCF-08)."""
        known = await self._roster.store.list_push(push.scope, push.task_id)
        return not any(
            other.config_id == push.config_id and other.config == push.config for other in known or ()
        )

    def _failed(self, push: PushDelivery, why: str) -> PushDelivery:
        now = self._roster.clock().millis
        since = push.failing_since or now
        attempts = push.attempts + 1
        is_dead = now - since >= self._policy.give_up_after / timedelta(milliseconds=1)
        logger.warning("webhook %s of task %s: %s (attempt %d)", push.config_id, push.task_id, why, attempts)
        pause = round(self._policy.pause(attempts) / timedelta(milliseconds=1))
        return replace(
            push,
            attempts=attempts,
            failing_since=since,
            last_error=why,
            next_attempt_at=now + pause,
            is_dead=is_dead,
        )


def _name(push: PushDelivery, seq: int) -> str:
    """The same for every attempt at one notification, so that its receiver can tell a repetition."""
    webhook = hashlib.sha256(f"{push.task_id}\0{push.config_id}".encode()).hexdigest()[:32]
    return f"{webhook}-{seq}"


def _headers(config: TaskPushNotificationConfig, name: str, content_type: str) -> dict[str, str]:
    headers = {"Content-Type": content_type, ID_HEADER: name}
    if config.token:
        headers[TOKEN_HEADER] = config.token
    authentication = config.authentication
    if authentication is not None and authentication.credentials:
        headers["Authorization"] = f"{authentication.scheme} {authentication.credentials}"
    return headers


_LOOK_EVERY = timedelta(seconds=1)
_LEASE = timedelta(minutes=1)
