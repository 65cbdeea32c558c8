"""What every record of the protocol has in common."""

from typing import Annotated, Any, TypeAlias

from msgspec import Meta, Struct

JSON: TypeAlias = Any
"""Any JSON value. Kept as it arrived, so that an integer stays an integer."""

Metadata: TypeAlias = dict[str, Any]
"""A JSON object with names that callers and agents agree on (SPEC 3.2.5, PAR-08)."""

RequiredText: TypeAlias = Annotated[str, Meta(min_length=1)]
"""A REQUIRED string: absent and empty are the same thing in ProtoJSON, so both are refused (JSN-09)."""

Int32: TypeAlias = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]


class Record(
    Struct,
    frozen=True,
    kw_only=True,
    rename="camel",
    omit_defaults=True,
    repr_omit_defaults=True,
    gc=False,
):
    """A frozen record, named and shaped as in A2A 1.0 JSON.

    A member without a default is REQUIRED and always printed; one with a default is left out while it
    has it, which is what ProtoJSON does with unset members (SPEC 1.1). Records hold JSON and other
    records, never a reference back, so the garbage collector need not look at them.
    """
