"""Every limit of the engine, with its name and its default (invariant I10)."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Limits:
    """What one agent in one process takes on. Sizes are in bytes, the rest are counts unless the type says more."""

    max_body_bytes: int = 8 * 1024 * 1024
    """A request larger than this is refused while it is still being read."""
    max_parts: int = 1_000
    """Parts of one message or artifact."""
    max_id_length: int = 256
    """Characters of an id that a caller makes: messageId, contextId, push configuration id."""
    max_history: int = 1_000
    """Messages kept in the history of a task; a task that reaches it takes no more messages."""
    max_artifact_bytes: int = 64 * 1024 * 1024
    """Content of all artifacts of a task together; a run that exceeds it fails."""
    max_queued_messages: int = 32
    """Messages that wait for a run that is working."""
    max_push_configs: int = 16
    """Webhooks of one task."""
    max_runs: int = 1_000
    """Runs at once; what comes after waits as SUBMITTED."""
    max_waiting_runs: int = 10_000
    """Runs that wait for their turn; what comes after is refused as unavailable."""
    max_streams: int = 10_000
    """Streams of the whole process."""
    max_streams_per_caller: int = 2_000
    """Streams of one caller."""
    max_sync_threads: int = 32
    """Threads that run synchronous skills."""
    idempotency_window: timedelta = timedelta(days=1)
    """How long a second send under the same key is answered with the first one's task."""
    compact_after: timedelta = timedelta(hours=1)
    """How long the log of a task that has ended is kept beside its snapshot, for streams that resume."""
    retention: timedelta = timedelta(days=30)
    """How long a task that has ended is kept."""
    drain_timeout: timedelta = timedelta(seconds=10)
    """How long an orderly stop waits for runs to finish before it gives them up to be resumed."""
    default_page_size: int = 50
    max_page_size: int = 100
    run_timeout: timedelta = timedelta(hours=1)
    """Working time of one run, waiting for the caller not counted; then the task fails."""
    park_timeout: timedelta = timedelta(seconds=60)
    """How long a task that waits for its caller stays in memory; then it is dropped, and resumed when the answer comes."""
    max_restarts: int = 3
    """How often a task is taken over from a process that died, with no step finished in between; then it fails."""
    cancel_grace: timedelta = timedelta(seconds=5)
    """How long a canceled handler may clean up before the task is CANCELED without it."""
    block_timeout: timedelta = timedelta(minutes=5)
    """How long a blocking send waits before it answers with the task as it stands."""
    chunk_delay: timedelta = timedelta(milliseconds=200)
    """How long artifact chunks gather before they are written."""
    max_gathered_bytes: int = 256 * 1024
    """How many bytes of chunks gather before they are written."""
    max_window_bytes: int = 1024 * 1024
    """Events of a live task kept in memory for its subscribers; a slower one reads the log."""
    heartbeat: timedelta = timedelta(seconds=2)
    """Streams send a comment when nothing happened for this long times five."""
    lease: timedelta = timedelta(seconds=15)
    """A process that has not renewed its lease for this long is taken for dead."""
