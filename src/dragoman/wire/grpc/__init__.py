"""A2A as protobuf, for gRPC (SPEC 1, 3.2, 3.4). Needs the extra `grpc`; nothing here is imported without need."""
