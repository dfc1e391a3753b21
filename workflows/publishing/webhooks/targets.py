"""The URLs and addresses that webhooks may be sent to.

A service chooses the URL of its endpoint, and this program calls it from inside its own network. Unchecked, it could
make requests to machines that only this network reaches. So only public addresses are called, and https only, unless
the setting allows others. A name is looked up for each attempt, and the connection goes to the address that was
checked: a name that points elsewhere later (DNS rebinding) is refused then.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import SplitResult, urlsplit

from workflows.settings import Reader

URL_MAX = 2048

Lookup = Callable[[str, int], Sequence[str]]
"""From a host and a port to the host's IP addresses. Raises OSError or UnicodeError."""


class Targets(StrEnum):
    """``public``: https to public addresses. ``any``: also http, and private addresses, for tests and own networks."""

    PUBLIC = "public"
    ANY = "any"


def read_targets(reader: Reader) -> Targets:
    return reader.parsed("WEBHOOK_TARGETS", _targets, Targets.PUBLIC)


def _targets(text: str) -> Targets:
    try:
        return Targets(text)
    except ValueError:
        raise ValueError(f"is {text!r}: give {' or '.join(Targets)}") from None


class TargetRefused(ValueError):
    """Webhooks may not be sent to this URL. Retryable: no. HTTP: 422."""


class AddressRefused(OSError):
    """A name has an address that webhooks may not be sent to. Retryable: yes, the name may get another address."""


def target(url: str, targets: Targets) -> SplitResult:
    """Check the text of a URL, without a lookup of its host; return its parts. Raises TargetRefused."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise TargetRefused("must be a URL, e.g. https://example.com/webhooks") from None
    if len(url) > URL_MAX or not (url.isascii() and url.isprintable()) or " " in url:
        raise TargetRefused(f"must be at most {URL_MAX} visible ASCII characters")
    if parts.scheme not in {"http", "https"} or not host:
        raise TargetRefused("must be a URL, e.g. https://example.com/webhooks")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise TargetRefused("must have neither a user name nor a fragment; verify the signature instead")
    if parts.scheme == "http" and targets is Targets.PUBLIC:
        raise TargetRefused("must begin with https://, so that events can neither be read nor changed on their way")
    return parts


def check_target(url: str, targets: Targets, lookup: Lookup) -> None:
    """Check a URL and the addresses that its host has now. Raises TargetRefused."""
    parts = target(url, targets)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        permitted(lookup, targets)(str(parts.hostname), port)
    except AddressRefused as refused:
        raise TargetRefused(str(refused)) from None
    except (OSError, UnicodeError):
        raise TargetRefused(f"its host {parts.hostname} has no address; check the name") from None


def permitted(lookup: Lookup, targets: Targets) -> Lookup:
    """Return a lookup that raises AddressRefused for a host with any address that may not be called."""

    def look_up(host: str, port: int) -> Sequence[str]:
        addresses = lookup(host, port)
        if targets is Targets.PUBLIC and not all(map(is_public, addresses)):
            raise AddressRefused(f"its host {host} has an address that is not public; webhooks are not sent there")
        return addresses

    return look_up


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public internet, also if it stands inside an IPv6 address."""
    try:
        ip = ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, IPv6Address) and (inner := _ipv4_inside(ip)) is not None:
        ip = inner
    special = ip.is_multicast or ip.is_reserved or ip.is_unspecified or any(ip in network for network in _SPECIAL)
    return ip.is_global and not special


_SPECIAL = tuple(
    map(
        ip_network,
        (
            "168.63.129.16/32",  # Azure's host, which only its virtual machines reach
            "192.0.0.0/24",  # protocol assignments; Oracle's metadata. Python's answer depends on its release
            "192.88.99.0/24",  # relays of 6to4
            "64:ff9b:1::/48",  # NAT64 of a private network
            "3fff::/20",  # documentation
            "5f00::/16",  # segment routing
            "fec0::/10",  # site-local
        ),
    )
)
"""Networks that are not of the public internet, although ``is_global`` of Python 3.11 is True for them."""

_NAT64 = IPv6Network("64:ff9b::/96")


def _ipv4_inside(ip: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address into which a gateway (NAT64, 6to4, Teredo) or the system turns an IPv6 address."""
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFF_FFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
