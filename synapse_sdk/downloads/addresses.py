"""Which addresses may be connected to: a URL must not make this machine ask its own network on behalf of others."""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

__all__ = ["why_unsafe"]

METADATA = frozenset(
    ip_address(text)
    for text in (
        "169.254.169.254",  # almost every cloud
        "fd00:ec2::254",  # AWS
        "fd20:ce::254",  # Google
        "168.63.129.16",  # Azure; it looks like any public address
        "100.100.100.200",  # Alibaba
    )
)
"""Where clouds hand out the credentials of the machine that asks."""
PUBLIC_IPV6 = IPv6Network("2000::/3")
"""All that is given out on the internet so far."""
OWN_IPV6 = IPv6Network("fc00::/7")
NAT64 = IPv6Network("64:ff9b::/96")
COMPATIBLE = IPv6Network("::/96")
IPV4_BITS = 0xFFFFFFFF


def why_unsafe(address: str, *, allows_private: bool = False) -> str | None:
    """Return why nobody should connect to an address, such as `a loopback address`; None if it is safe.

    An IPv6 address that stands for an IPv4 one (mapped, compatible, 6to4, NAT64) is judged by that.

    Args:
        address: IPv4 or IPv6, in its usual spelling, as a resolver returns it.
        allows_private: Let addresses of this machine and of private networks pass. What no file is ever read from is
            refused all the same: metadata services of clouds, link-local, multicast, unspecified, reserved.

    Example:
        >>> why_unsafe("127.0.0.1"), why_unsafe("127.0.0.1", allows_private=True)
        ('a loopback address', None)
        >>> why_unsafe("::ffff:169.254.169.254", allows_private=True)
        'the metadata service of a cloud'
    """
    try:
        known = _meant(ip_address(address))
    except ValueError:
        return "not an address"
    never = {
        "the metadata service of a cloud": known in METADATA,
        "an unspecified address": known.is_unspecified,
        "a multicast address": known.is_multicast,
        "a link-local address": known.is_link_local,
        "a reserved address": _is_reserved(known),
    }
    private = {
        "a loopback address": known.is_loopback,
        "not a public address": not known.is_global,
    }
    return next((why for why, holds in (never if allows_private else never | private).items() if holds), None)


def _meant(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Return the IPv4 address that an IPv6 one stands for, or the address itself."""
    if isinstance(address, IPv4Address):
        return address
    inner = address.ipv4_mapped or address.sixtofour
    if address in NAT64 or (address in COMPATIBLE and not (address.is_unspecified or address.is_loopback)):
        inner = IPv4Address(int(address) & IPV4_BITS)
    return inner or address


def _is_reserved(address: IPv4Address | IPv6Address) -> bool:
    """Whether nobody has been given this address."""
    if isinstance(address, IPv4Address):
        return address.is_reserved
    return not (address in PUBLIC_IPV6 or address in OWN_IPV6 or address.is_loopback)
