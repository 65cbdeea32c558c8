"""Compile the `.proto` files of the wire into the descriptors that the code reads: `python -m tools.protos`."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

from google.protobuf import descriptor_pb2
from grpc_tools import protoc

FOLDER = Path(__file__).resolve().parent.parent / "src/dragoman/wire/grpc"


def compile_proto(source: Path) -> bytes:
    """The descriptor of one file, without what it imports, as a set of one."""
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder, "set.binpb")
        own_types = resources.files("grpc_tools") / "_proto"
        words = ["protoc", f"-I{source.parent}", f"-I{own_types}", f"--descriptor_set_out={target}"]
        compiles: Callable[[list[str]], int] = protoc.main
        if compiles([*words, source.name]) != 0:
            sys.exit(f"{source.name} does not compile")
        return target.read_bytes()


def list_protos() -> Iterator[tuple[Path, Path]]:
    """Each source, and the file that is compiled from it."""
    return ((source, source.with_suffix(".binpb")) for source in sorted(FOLDER.glob("*.proto")))


def describe(data: bytes) -> descriptor_pb2.FileDescriptorSet:
    """What was compiled, for a comparison that does not depend on the order of bytes."""
    return descriptor_pb2.FileDescriptorSet.FromString(data)


if __name__ == "__main__":
    for source, target in list_protos():
        target.write_bytes(compile_proto(source))
        print(f"  {source.name} -> {target.name}")
