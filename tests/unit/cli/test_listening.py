"""The socket that a served agent listens at."""

import socket

import pytest

from dragoman.cli.listening import get_address, listen


@pytest.mark.parametrize(
    "host, address", [("127.0.0.1", "http://127.0.0.1:"), ("0.0.0.0", "http://127.0.0.1:")]
)
def test_it_names_its_protocol_so_that_answers_are_not_held_back(host, address):
    """Asyncio sets TCP_NODELAY only on sockets that say they speak TCP."""
    with listen(host, 0) as listener:
        assert listener.proto == socket.IPPROTO_TCP
        assert get_address(listener).startswith(address)
