"""The receiver's side of webhooks: what came, from whom, and whether it came before (SPEC 5, PSH-02 to PSH-05)."""

import hmac
from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import timedelta
from typing import TypeAlias

from dragoman.client.http import AsgiApp
from dragoman.client.notifications import (
    MalformedNotificationError,
    NotAuthenticError,
    Notification,
    NotificationTooLargeError,
    StaleNotificationError,
    UnexpectedTaskError,
    task_id_of,
)
from dragoman.client.receiver_app import Callback, ReceiverApp
from dragoman.client.seen import Seen
from dragoman.model import A2AError, Clock, Event, StreamResponse, utc_now
from dragoman.security.signatures import (
    DEFAULT_MAX_AGE,
    ID_HEADER,
    TIMESTAMP_HEADER,
    SignatureError,
    StaleTimestampError,
    check_age,
    is_valid_id,
    load_keys,
    verify,
)
from dragoman.wire import codec

TOKEN_HEADER = "x-a2a-notification-token"  # noqa: S105 - the name of a header

MAX_BODY_BYTES = 10 * 1024 * 1024

Tokens: TypeAlias = str | Collection[str]


class NotificationReceiver:
    """Takes the notifications of agents, and refuses everything else.

    ```python
    receiver = NotificationReceiver(secrets=(secret,), tokens=tokens.get)
    app = receiver.as_asgi(on_notification)
    ```

    `secrets` are those that the agents sign with. `tokens` are what the webhooks were registered with, as `token` or as the
    credentials of `authentication`: all that are valid, or a function from a task id to the one of that task (None or
    empty: the task has none). What is configured must be right; one of the two has to be, or ValueError is raised (PSH-11).

    `expected_task` says of a task id whether anybody asked for it (PSH-04). `max_age` bounds how old a notification may be.
    Repetitions are known by the last `remember` ids, in this process: where there are more of them, let the work be
    idempotent by `Notification.id`.
    """

    def __init__(
        self,
        *,
        secrets: Iterable[str | bytes] = (),
        tokens: Tokens | Callable[[str], Tokens | None] = (),
        expected_task: Callable[[str], bool] | None = None,
        max_age: timedelta = DEFAULT_MAX_AGE,
        max_body_bytes: int = MAX_BODY_BYTES,
        remember: int = 10_000,
        clock: Clock = utc_now,
    ) -> None:
        self._keys = load_keys(secrets)
        self._tokens = tokens if callable(tokens) else _load_tokens(tokens)
        if not self._keys and not self._tokens:
            raise ValueError(
                "a receiver without secrets and tokens would believe everybody; give it one of them"
            )
        self._expected_task = expected_task
        self._max_age = max_age
        self._max_body_bytes = max_body_bytes
        self._clock = clock
        self._seen = Seen(remember)

    def receive(self, headers: Mapping[str, str], body: bytes) -> Notification | None:
        """The notification in a request; None if it came before, which is to be answered like the first time.

        Raises NotificationError, which knows the status to answer with. `body` is as it came: JSON that was read and
        printed again is not what was signed.
        """
        notification = self._check(headers, body)
        return notification if self._seen.add((notification.task_id, notification.id)) else None

    def as_asgi(self, callback: Callback) -> AsgiApp:
        """An app to serve or to mount, which calls `await callback(notification)` once for each notification.

        It answers 204 when the callback has returned. When the callback raises, it answers 500, and the agent tries again later.
        A callback that raises a NotificationError refuses with that status.
        """
        return ReceiverApp(self._check, self._seen, callback, self._max_body_bytes)

    def _check(self, headers: Mapping[str, str], body: bytes) -> Notification:
        """Who sent it is judged before what it says is read."""
        if len(body) > self._max_body_bytes:
            raise NotificationTooLargeError(f"it has {len(body)} bytes; {self._max_body_bytes} are taken")
        headers = {name.lower(): value for name, value in headers.items()}
        self._check_origin(headers, body)
        event = _load_event(body)
        task_id = task_id_of(event)
        if self._tokens:
            self._check_token(headers, task_id)
        if self._expected_task is not None and not self._expected_task(task_id):
            raise UnexpectedTaskError(f"nobody asked about task {task_id[:80]!r}")
        return Notification(
            event=event,
            task_id=task_id,
            id=_load_id(headers),
            is_signed=bool(self._keys),
            has_token=bool(self._tokens),
        )

    def _check_origin(self, headers: Mapping[str, str], body: bytes) -> None:
        """All that can be said without reading the body: the signature, the age, and whether there is a token at all."""
        now = self._clock()
        try:
            if self._keys:
                verify(self._keys, headers, body, now=now, max_age=self._max_age)
            elif TIMESTAMP_HEADER in headers:  # agents that do not sign need not send one
                check_age(headers[TIMESTAMP_HEADER], now=now, max_age=self._max_age)
        except StaleTimestampError as error:
            raise StaleNotificationError(str(error)) from None
        except SignatureError as error:
            raise NotAuthenticError(str(error)) from None
        if self._tokens and not any(_list_given(headers)):
            raise NotAuthenticError("it brings no token")

    def _check_token(self, headers: Mapping[str, str], task_id: str) -> None:
        tokens = _load_tokens(self._tokens(task_id) or ()) if callable(self._tokens) else self._tokens
        given = [token.encode() for token in _list_given(headers) if token]
        if not any(hmac.compare_digest(one.encode(), other) for one in tokens for other in given):
            raise NotAuthenticError("the token is not one that is known here")


def _load_tokens(tokens: Tokens) -> tuple[str, ...]:
    """One or many; the empty one is none, so that a missing header never equals it."""
    return tuple(token for token in ((tokens,) if isinstance(tokens, str) else tokens) if token)


def _list_given(headers: Mapping[str, str]) -> tuple[str, str]:
    """What was brought as a token, and as the credentials of any scheme."""
    return headers.get(TOKEN_HEADER, ""), headers.get("authorization", "").partition(" ")[2].strip()


def _load_event(body: bytes) -> Event:
    try:
        return codec.decode(StreamResponse, body).payload
    except A2AError as error:
        raise MalformedNotificationError(str(error)) from None


def _load_id(headers: Mapping[str, str]) -> str:
    message_id = headers.get(ID_HEADER, "")
    if message_id and not is_valid_id(message_id):
        raise MalformedNotificationError(f"{ID_HEADER} is too long, or is not printable ASCII")
    return message_id
