"""The load generator: a process of its own, so that what it spends is not counted as the server's."""
