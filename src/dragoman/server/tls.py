"""What TLS has proved of a caller, where a binding's server tells it."""

CLIENT_CERTIFICATE = "dragoman.client_certificate"
"""The key of a scope under which a `PeerCertificate` lies, or None."""
