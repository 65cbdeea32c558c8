"""A store by its URL."""

from urllib.parse import parse_qs, unquote, urlsplit

from dragoman.store.base import TaskStore
from dragoman.store.memory import MemoryTaskStore

_SUPPORTED = "'memory:', 'sqlite:///relative.db' and 'sqlite:////absolute.db'"


def open_store(url: str) -> TaskStore:
    """The store that `url` names, to be entered with `async with`.

    `memory:` forgets. `sqlite:///tasks.db` is a file below the working directory, `sqlite:////var/lib/agent/tasks.db`
    one anywhere; `?durability=power` makes its commits wait for the disk. Raises ValueError for what is none of these.
    """
    if url == "memory:":
        return MemoryTaskStore()
    if url.startswith("sqlite:"):
        return _make_sqlite(url)
    if url.startswith(("postgresql:", "postgres:")):
        raise ValueError(
            "a task store in PostgreSQL comes with the extra `pip install 'dragoman[postgres]'`, which is not there yet;"
            f" supported are {_SUPPORTED}"
        )
    # Its beginning only, for the rest of a URL may hold a password.
    raise ValueError(
        f"no task store has URLs that begin with {url.partition(':')[0]!r}; supported are {_SUPPORTED}"
    )


def _make_sqlite(url: str) -> TaskStore:
    # Late, because not every Python is built with SQLite.
    from dragoman.store.sqlite import Durability, SqliteTaskStore

    path = find_file(url)
    options = parse_qs(urlsplit(url).query, keep_blank_values=True)
    durability = options.pop("durability", [Durability.PROCESS.value])[-1]
    if options or durability not in {known.value for known in Durability}:
        raise ValueError(
            f"{url!r} asks for something unknown; the one option is durability=process or durability=power"
        )
    return SqliteTaskStore(path, durability=Durability(durability))


def find_file(url: str) -> str:
    """The path of the file that a URL beginning with `sqlite:` names; ValueError if it names none."""
    parts = urlsplit(url)
    path = unquote(parts.path).removeprefix("/")
    if parts.netloc or not path.strip("/"):
        raise ValueError(f"{url!r} names no file; write 'sqlite:///relative.db' or 'sqlite:////absolute.db'")
    return path
