"""Optional libraries: whether they are there, and what to say when they are not."""

from importlib.util import find_spec

from dragoman.model import DragomanError

_GRPC = ("grpc", "google.protobuf", "google.rpc")


class MissingExtraError(DragomanError, ImportError):
    """Something was asked for that needs an extra which is not installed."""


def has_grpc() -> bool:
    """Whether the client can speak gRPC. Imports none of it."""
    return _are_there(_GRPC)


def need_grpc(*modules: str) -> None:
    """MissingExtraError unless what gRPC needs is installed, and `modules` with it."""
    if not _are_there((*_GRPC, *modules)):
        raise MissingExtraError("the gRPC binding needs more libraries: pip install 'dragoman[grpc]'")


def _are_there(names: tuple[str, ...]) -> bool:
    try:
        return all(find_spec(name) is not None for name in names)
    except ModuleNotFoundError:  # of a package above
        return False
