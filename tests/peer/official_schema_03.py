# mypy: disable-error-code="import-not-found,import-untyped,misc"
# pyright: reportMissingImports=false, reportMissingModuleSource=false
"""The schema of the official SDK 0.3.26, printed as JSON: every message and enum, and the methods of the service.

Runs in its own environment: `python -m tests.peer.official_schema_03`.
"""

import json

from a2a.grpc import a2a_pb2

from tests.peer.schema import describe_file

if __name__ == "__main__":
    print(json.dumps(describe_file(a2a_pb2.DESCRIPTOR)))  # noqa: T201 - read by the test
