"""The generations of the protocol and the bindings that carry it."""

import enum


class Generation(enum.Enum):
    """A `Major.Minor` that differs on the wire from its neighbours (SPEC 7.1)."""

    V0_1 = "0.1"
    V0_2 = "0.2"
    V0_3 = "0.3"
    V1_0 = "1.0"


LATEST = Generation.V1_0


class Binding(enum.Enum):
    """How the operations travel, by the names that a card uses (SPEC 3)."""

    JSONRPC = "JSONRPC"
    REST = "HTTP+JSON"
    GRPC = "GRPC"
