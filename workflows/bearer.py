"""Check bearer tokens and the URLs that they are sent to: those of providers and those of an engine."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_THIS_MACHINE = {"localhost", "127.0.0.1", "::1", "host.docker.internal"}
"""Hosts that are this machine; the last is its name inside a container."""


class UrlInvalid(ValueError):
    """The text is not the http or https URL of a host."""


class PlainHttpRefused(ValueError):
    """The URL is plain HTTP to another machine, where the token could be read on the way."""


def is_token(text: str) -> bool:
    """Whether the text may be sent in a header. An HTTP library's error about any other would quote it."""
    return bool(text) and text.isascii() and text.isprintable() and " " not in text


def address_for_token(url: str) -> SplitResult:
    """Return the parts of a URL that a token may be sent to. Raises UrlInvalid, PlainHttpRefused."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise UrlInvalid("is not a URL") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise UrlInvalid("is not an http or https URL")
    if parts.scheme == "http" and host not in _THIS_MACHINE:
        raise PlainHttpRefused("is plain HTTP to another machine")
    return parts
