"""The protocol's bytes, without any input or output: codecs, JSON-RPC, REST, SSE, headers (SPEC 1.1, 3)."""
