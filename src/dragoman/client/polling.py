"""A task that is asked after again and again, read as if it were a stream."""

from dragoman.client.session import Session
from dragoman.client.transport import EventSource, StreamEvent
from dragoman.model import GetTaskRequest, StreamResponse, Task
from dragoman.model.operations import GET_TASK

FIRST_WAIT_SECONDS = 0.1
GROWTH = 1.5


class PollingSource(EventSource):
    """Every event is a snapshot, and there is no end: its reader sees in the snapshot when nothing more will come.

    `first` is a snapshot at hand. The waits grow up to the client's polling interval, so that a short task is not
    waited for long and a long one is not asked after often.
    """

    is_polling = True

    def __init__(self, session: Session, task_id: str, first: Task | None = None) -> None:
        self._session = session
        self._task_id = task_id
        self._first = first
        self._wait = 0.0 if first is None else FIRST_WAIT_SECONDS

    async def read(self) -> StreamEvent | None:
        task, self._first = self._first, None
        if task is None:
            task = await self._poll()
        return StreamEvent("", StreamResponse(task=task))

    def close(self) -> None:
        self._first = None

    async def _poll(self) -> Task:
        options = self._session.options
        if self._wait:
            await options.world.sleep(min(self._wait, options.polling_seconds))
        self._wait = min(max(self._wait, FIRST_WAIT_SECONDS) * GROWTH, options.polling_seconds)
        task = await self._session.call(GET_TASK, GetTaskRequest(id=self._task_id))
        assert isinstance(task, Task)
        return task
