"""Wake-ups between replicas: a doorbell, never a message (I2)."""

from dragoman.bus.base import Bus, Topic
from dragoman.bus.local import LocalBus
from dragoman.bus.opening import open_bus

__all__ = ["Bus", "LocalBus", "Topic", "open_bus"]
