"""A bus by its URL."""

from urllib.parse import unquote, urlsplit

from dragoman.bus.base import Bus
from dragoman.bus.local import LocalBus

_SUPPORTED = "'local:', 'sqlite:' beside a store in SQLite, and 'sqlite:///path/of/its/own.db'"


def open_bus(url: str, *, store_url: str = "memory:") -> Bus:
    """The bus that `url` names, to be entered with `async with`.

    `local:` is for a store that this process alone serves. `sqlite:` is for several processes of one machine on the SQLite
    store at `store_url`: its file lies beside the store's and is called like it, with `-bus` after it. `sqlite:///` with a
    path says where it lies instead. Raises ValueError for what is none of these.
    """
    if url == "local:":
        return LocalBus()
    if url == "sqlite:":
        kind = store_url.partition(":")[0]
        return _make_sqlite(_path_of(store_url, _NO_FILE.format(kind)) + "-bus")
    if url.startswith("sqlite:"):
        return _make_sqlite(_path_of(url, f"{url!r} names no file; supported are {_SUPPORTED}"))
    # Its beginning only, for the rest of a URL may hold a password.
    raise ValueError(f"no bus has URLs that begin with {url.partition(':')[0]!r}; supported are {_SUPPORTED}")


_NO_FILE = (
    "the bus 'sqlite:' lies beside a store in SQLite, and {!r} is none with a file; give the bus one of its own:"
    " 'sqlite:///bus.db'"
)


def _path_of(url: str, complaint: str) -> str:
    """The path of a SQLite URL, as `dragoman.store.open_store` reads it."""
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.scheme != "sqlite" or parts.netloc or not path.strip("/"):
        raise ValueError(complaint)
    return path


def _make_sqlite(path: str) -> Bus:
    # Late, because not every Python is built with SQLite.
    from dragoman.bus.polling import SqliteBus

    return SqliteBus(path)
