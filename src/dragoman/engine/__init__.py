"""The waist: the eleven operations, transport-free, over the task log."""

from dragoman.engine.delivery import DeliveryError, DeliveryPolicy, PushSender
from dragoman.engine.engine import Engine
from dragoman.engine.entries import StreamItem
from dragoman.engine.errors import IllegalTransitionError, NonDeterminismError, RunEndedError, StepFailedError
from dragoman.engine.handler import Call, Handler, Job, Turn
from dragoman.engine.limits import Limits
from dragoman.engine.streams import EventStream

__all__ = [
    "Call",
    "DeliveryError",
    "DeliveryPolicy",
    "Engine",
    "EventStream",
    "Handler",
    "IllegalTransitionError",
    "Job",
    "Limits",
    "NonDeterminismError",
    "PushSender",
    "RunEndedError",
    "StepFailedError",
    "StreamItem",
    "Turn",
]
