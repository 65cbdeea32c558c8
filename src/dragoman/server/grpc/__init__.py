"""The gRPC side of an agent, on a port of its own (SPEC 3.4). Needs the extra `grpc`; imported only where it is asked for."""
