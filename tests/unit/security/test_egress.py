"""Which addresses may be dialled for a stranger."""

import pytest

from dragoman.security import EgressDeniedError, EgressPolicy

FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "192.0.0.8",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::1",
    "2001:0:7f00:1::1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "2001:db8::1",
    "localhost",
    "",
    "2130706433",
]


@pytest.mark.parametrize("address", FORBIDDEN)
def test_an_address_that_is_not_public_is_refused(address: str) -> None:
    with pytest.raises(EgressDeniedError):
        EgressPolicy().check(address)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_may_be_dialled(address: str) -> None:
    EgressPolicy().check(address)


def test_an_allowed_network_may_be_dialled_and_its_neighbours_not() -> None:
    policy = EgressPolicy.allowing(["10.1.0.0/16", "::1"])
    policy.check("10.1.2.3")
    policy.check("::ffff:10.1.2.3")
    policy.check("::1")
    with pytest.raises(EgressDeniedError):
        policy.check("10.2.0.1")


def test_a_policy_is_refused_a_network_that_is_none() -> None:
    with pytest.raises(ValueError, match="does not appear to be"):
        EgressPolicy.allowing(["intranet"])
