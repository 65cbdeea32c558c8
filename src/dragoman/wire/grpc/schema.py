"""The protocol's messages, from the compiled `a2a.proto` and `a2a_03.proto`.

They live in a pool of their own: the official SDK registers the same names from another file, and protobuf's common pool
would refuse the second of the two in one process.
"""

from functools import cache
from importlib import resources
from typing import Any, TypeAlias

from google.protobuf import (
    descriptor_pb2,
    descriptor_pool,
    empty_pb2,
    message_factory,
    struct_pb2,
    timestamp_pb2,
)
from google.protobuf.descriptor import Descriptor

ProtoMessage: TypeAlias = Any
"""A message of protobuf. Its members depend on the schema, so type checkers know none of them."""

PACKAGE = "lf.a2a.v1"
SERVICE = f"{PACKAGE}.A2AService"
OLD_SERVICE = "a2a.v1.A2AService"
"""What 0.3 calls it."""

_WELL_KNOWN = (empty_pb2, struct_pb2, timestamp_pb2)


@cache
def open_pool() -> descriptor_pool.DescriptorPool:
    """The pool with the messages of 1.0 and of 0.3, whose packages differ."""
    return load_pool("a2a.binpb", "a2a_03.binpb")


def load_pool(*names: str) -> descriptor_pool.DescriptorPool:
    """A pool with what `names`, compiled files beside this module, describe, and protobuf's own types."""
    pool = descriptor_pool.DescriptorPool()
    for module in _WELL_KNOWN:
        pool.AddSerializedFile(module.DESCRIPTOR.serialized_pb)
    for name in names:
        data = resources.files(__package__ or "").joinpath(name).read_bytes()
        for file in descriptor_pb2.FileDescriptorSet.FromString(data).file:
            pool.AddSerializedFile(file.SerializeToString())
    return pool


@cache
def find_class(name: str) -> type[ProtoMessage]:
    """The class of a 1.0 message by its short name; of `google.protobuf.Empty` by `Empty`."""
    full_name = f"google.protobuf.{name}" if name == "Empty" else f"{PACKAGE}.{name}"
    descriptor: Descriptor = open_pool().FindMessageTypeByName(full_name)
    return message_factory.GetMessageClass(descriptor)


@cache
def find_old_classes(method: str) -> tuple[type[ProtoMessage], type[ProtoMessage]]:
    """What a method of 0.3 takes and what it answers."""
    found = open_pool().FindServiceByName(OLD_SERVICE).methods_by_name[method]
    return (
        message_factory.GetMessageClass(found.input_type),
        message_factory.GetMessageClass(found.output_type),
    )
