"""Certificates for one test: a root, and what it has signed. Made by the `openssl` of the machine."""

import shutil
import subprocess
from pathlib import Path

import pytest

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the certificates")


def make_certificates(folder: Path) -> None:
    """`ca.pem`, and for a server on loopback and for a client a `.pem` and a `.key`."""
    _run(folder, *_new("ca"), "-x509", "-days", "2", "-subj", "/CN=Test Root", "-out", "ca.pem")
    for name, subject, alternatives in (
        ("server", "/CN=localhost", "DNS:localhost,IP:127.0.0.1"),
        ("client", "/CN=alice/O=Acme", "URI:spiffe://acme/alice"),
    ):
        _run(folder, *_new(name), "-subj", subject, "-out", f"{name}.csr")
        (folder / f"{name}.ext").write_text(f"subjectAltName={alternatives}\n", encoding="utf-8")
        signed = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2"]
        files = ["-in", f"{name}.csr", "-extfile", f"{name}.ext", "-out", f"{name}.pem"]
        _run(folder, "x509", "-req", *signed, *files)


def _new(name: str) -> list[str]:
    return [
        "req",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
        "-keyout",
        f"{name}.key",
    ]


def _run(folder: Path, *words: str) -> None:
    subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)
