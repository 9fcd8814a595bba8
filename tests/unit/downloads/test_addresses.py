import pytest

from synapse_sdk.downloads.addresses import why_unsafe

NEVER = {
    "169.254.169.254": "the metadata service of a cloud",
    "168.63.129.16": "the metadata service of a cloud",
    "100.100.100.200": "the metadata service of a cloud",
    "fd00:ec2::254": "the metadata service of a cloud",
    "::ffff:169.254.169.254": "the metadata service of a cloud",
    "64:ff9b::a9fe:a9fe": "the metadata service of a cloud",
    "2002:a9fe:a9fe::1": "the metadata service of a cloud",
    "169.254.0.1": "a link-local address",
    "fe80::1": "a link-local address",
    "224.0.0.1": "a multicast address",
    "ff02::1": "a multicast address",
    "0.0.0.0": "an unspecified address",  # noqa: S104  as text
    "::": "an unspecified address",
    "::ffff:0.0.0.0": "an unspecified address",
    "255.255.255.255": "a reserved address",
    "240.0.0.1": "a reserved address",
    "64:ff9b:1::1": "a reserved address",
    "fec0::1": "a reserved address",
    "5f00::1": "a reserved address",
    "fe80::1%eth0": "a link-local address",
    "localhost": "not an address",
    "127.1": "not an address",
    "": "not an address",
}
PRIVATE = {
    "127.0.0.1": "a loopback address",
    "127.255.255.254": "a loopback address",
    "::1": "a loopback address",
    "::ffff:127.0.0.1": "a loopback address",
    "::127.0.0.1": "a loopback address",
    "64:ff9b::7f00:1": "a loopback address",
    "2002:7f00:1::": "a loopback address",
    "10.0.0.1": "not a public address",
    "172.16.0.1": "not a public address",
    "192.168.1.1": "not a public address",
    "100.64.0.1": "not a public address",
    "0.1.2.3": "not a public address",
    "198.18.0.1": "not a public address",
    "192.0.2.1": "not a public address",
    "fc00::1": "not a public address",
    "fd12:3456::1": "not a public address",
    "2001:db8::1": "not a public address",
    "2001:0:1::1": "not a public address",
    "::ffff:192.168.1.1": "not a public address",
    "2002:c0a8:101::1": "not a public address",
    "64:ff9b::a00:1": "not a public address",
}
PUBLIC = ("8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::1")


@pytest.mark.parametrize(("address", "why"), NEVER.items())
def test_some_addresses_are_never_safe(address: str, why: str) -> None:
    """Whatever is allowed."""
    assert why_unsafe(address) == why
    assert why_unsafe(address, allows_private=True) == why


@pytest.mark.parametrize(("address", "why"), PRIVATE.items())
def test_private_addresses_are_safe_only_if_allowed(address: str, why: str) -> None:
    """In whatever form they come."""
    assert why_unsafe(address) == why
    assert why_unsafe(address, allows_private=True) is None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_safe(address: str) -> None:
    """The web is there to be read."""
    assert why_unsafe(address) is None
