"""Which addresses a request may go to: by the spelling of its URL, and by what its host's name resolves to."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_address

# The one spelling of a URL that all parsers read alike: a DNS name, the scheme's own port or none, no user, and nothing
# that some parsers drop or take for a slash. What is not spelt so is not requested.
_CANONICAL = re.compile(
    r"(?:http://([a-z0-9.-]+)(?::80)?|https://([a-z0-9.-]+)(?::443)?)(?:[/?#][^\x00-\x1f\x7f\\]*)?", re.I | re.ASCII
)
# Local proxies that answer DNS themselves give every name an address of this range; nothing else may use it.
_BENCHMARKING = IPv4Network("198.18.0.0/15")
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")


def host_of(url: str) -> str | None:
    """The host of a URL, in lower case; None unless every parser reads that host in it."""
    found = _CANONICAL.fullmatch(url)
    return (found[1] or found[2]).lower() if found else None


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet: not this machine, its network, nor a reserved range."""
    ip = ip_address(address.partition("%")[0])
    if ip.version == 6:
        carried = ip.ipv4_mapped or ip.sixtofour or (IPv4Address(int(ip) & 0xFFFFFFFF) if ip in _NAT64 else None)
        if carried is None:
            return ip in _GLOBAL_UNICAST and ip.is_global
        ip = carried
    return ip in _BENCHMARKING or (ip.is_global and not ip.is_multicast)
