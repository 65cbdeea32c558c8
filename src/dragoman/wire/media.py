"""Media types: the protocol's own, and matching them against what somebody accepts (D-06, RST-01)."""

JSON_TYPE = "application/json"
A2A_JSON_TYPE = "application/a2a+json"
EVENT_STREAM_TYPE = "text/event-stream"


def get_essence(content_type: str) -> str:
    """`type/subtype` in lower case, without parameters."""
    return content_type.partition(";")[0].strip().lower()


def is_json(content_type: str) -> bool:
    """Whether a body of this type is JSON: `application/json`, or anything that ends in `+json`."""
    essence = get_essence(content_type)
    return essence == JSON_TYPE or (essence.startswith("application/") and essence.endswith("+json"))


def is_event_stream(content_type: str) -> bool:
    """Whether a body of this type is a stream of server-sent events."""
    return get_essence(content_type) == EVENT_STREAM_TYPE


def matches(pattern: str, content_type: str) -> bool:
    """Whether `content_type` is what `pattern` names: a type, `text/*` or `*/*`; parameters do not count."""
    wanted, actual = get_essence(pattern), get_essence(content_type)
    if wanted in ("*", "*/*"):
        return True
    return wanted == actual or (wanted.endswith("/*") and actual.startswith(wanted[:-1]))


def accepts(accept: str, content_type: str) -> bool:
    """Whether an `Accept` header takes `content_type`; an empty one takes everything.

    The most specific range decides (RFC 9110, 12.5.1), so `*/*, text/html;q=0` takes all but HTML.
    """
    ranges = [entry for entry in accept.split(",") if entry.strip() and matches(entry, content_type)]
    if not ranges:
        return not accept.strip()
    return not _is_refused(max(ranges, key=_specificity))


def _specificity(entry: str) -> int:
    essence = get_essence(entry)
    return 0 if essence in ("*", "*/*") else 1 if essence.endswith("/*") else 2


def _is_refused(entry: str) -> bool:
    names = (parameter.partition("=") for parameter in entry.split(";")[1:])
    return any(name.strip().lower() == "q" and not value.strip().strip("0.") for name, _, value in names)
