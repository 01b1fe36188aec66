"""Which network addresses may be reached: decided when a connection is made, for the very address it is made to."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from typing import Any

_NAT64 = IPv6Network("64:ff9b::/96")
_IPV4_BITS = 0xFFFF_FFFF


class ForbiddenAddressError(OSError):
    """The address is private; raised instead of opening a socket.

    It is an OSError so that a host with several addresses is still reached over its public ones.
    """

    def __init__(self) -> None:
        super().__init__(errno.EACCES, "private address")


def is_public(address: str) -> bool:
    """Whether an address belongs to the open internet.

    Private, loopback, link-local, multicast, reserved and unspecified ones do not, nor do IPv6 addresses that carry
    such an IPv4 address inside (mapped, 6to4, Teredo, NAT64).

    Args:
        address: an IPv4 or IPv6 address in its usual form; anything else is not public.
    """
    try:
        parsed = ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _is_global(parsed)
    if parsed in _NAT64:
        return _is_global(IPv4Address(int(parsed) & _IPV4_BITS))
    carried = [parsed.ipv4_mapped, parsed.sixtofour, *(parsed.teredo or ())]
    return _is_global(parsed) and not parsed.is_site_local and all(_is_global(each) for each in carried if each)


def _is_global(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def public_socket(address_info: tuple[Any, ...]) -> socket.socket:
    """Opens a socket for a connection to a public address; aiohttp calls it right before it connects.

    Names are resolved by then, and every redirect comes through here again. So a name that changes its address
    between check and use (DNS rebinding), or an address in disguise (`127.1`, `0x7f000001`), gains nothing.

    Args:
        address_info: as `socket.getaddrinfo` returns it: family, type, protocol, name, (address, port, …).

    Raises:
        ForbiddenAddressError: the address is not public.
    """
    family, kind, protocol, _, address = address_info
    if not is_public(str(address[0])):
        raise ForbiddenAddressError
    return socket.socket(family, kind, protocol)
