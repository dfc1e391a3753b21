"""What a bearer token may be, and where it may be sent: the same for a provider's and for an engine's."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1", "host.docker.internal"}
"""Names under which nothing leaves this machine; the last is how a container calls it."""


class NoAddress(ValueError):
    """Not the http or https URL of a host."""


class ForAllToRead(ValueError):
    """Plain HTTP to another machine: whoever sits between would have the token."""


def is_token(text: str) -> bool:
    """Whether it can stand in a header. One that cannot ends up in the error that an HTTP library makes of it."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def address_for_token(url: str) -> SplitResult:
    """The parts of an address that a token may go to. Raises NoAddress, ForAllToRead."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise NoAddress("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise NoAddress("is not an http or https URL")
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise ForAllToRead("is plain HTTP to another machine")
    return parts
