"""An agent on the wire: the ASGI app that carries the eleven operations over JSON-RPC and HTTP+JSON."""

from dragoman.server.app import AgentApp
from dragoman.server.grpc_options import GrpcOptions
from dragoman.server.options import HttpOptions
from dragoman.server.service import Service
from dragoman.server.webhooks import WebhookOptions

__all__ = ["AgentApp", "GrpcOptions", "HttpOptions", "Service", "WebhookOptions"]
