"""How a command ends, in numbers that a script can act on."""

import enum


class Exit(enum.IntEnum):
    """The exit codes of `dragoman`; `meaning` is what its help says about each."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    OK = 0, "done"
    FAILED = (
        1,
        "the task failed, was rejected or canceled; the card is not valid or not trusted, the file not sound",
    )
    USAGE = 2, "a wrong argument or option, or a file that cannot be used"
    UNREACHABLE = 3, "the agent cannot be reached, or does not answer as an agent"
    REFUSED = 4, "the agent refused the call"
    WAITING = 5, "the agent asks something, and nobody is there to answer"
    TIMED_OUT = 6, "the time given with --timeout is over"
    INTERRUPTED = 130, "stopped with Ctrl-C"


def explain_exits() -> str:
    """A line for each exit code."""
    return "\n".join(f"  {code.value:>3}  {code.meaning}" for code in Exit)
