"""What a client trusts, and what it shows of itself, over HTTP and gRPC alike (AUT-03)."""

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    import ssl


class Tls(Struct, frozen=True, kw_only=True):
    """Files in PEM. Without `ca`, the roots of the system are trusted; `certificate` and `key` are for agents that ask for one."""

    ca: str = ""
    certificate: str = ""
    key: str = ""

    def make_context(self) -> "ssl.SSLContext":
        """For HTTP; OSError if a file cannot be read or is none of these."""
        import ssl

        context = ssl.create_default_context(cafile=self.ca or None)
        if self.certificate:
            context.load_cert_chain(self.certificate, self.key or None)
        return context

    def read(self) -> tuple[bytes | None, bytes | None, bytes | None]:
        """Roots, key and certificate, for gRPC; None for what is not given. OSError if a file cannot be read."""
        from pathlib import Path

        key = self.key or self.certificate
        roots, key_bytes, chain = (
            Path(name).read_bytes() if name else None for name in (self.ca, key, self.certificate)
        )
        return roots, key_bytes, chain
