"""The limits of connections, in a module of their own so that they can be used without importing uvicorn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may wait for its client, in seconds, and how many there may be.

    ``head_s``: from the connection, or the first byte of a later request, to the end of a request's head. ``body_s``:
    from there to the end of its body. ``idle_s``: between two requests. ``reading_s``: while the client does not read
    its response. ``linger_s``: from a response to the end of a connection whose client still sends its request.
    ``shutdown_s``: while the server stops, instead of the others. ``connections_max``: None, for a number that follows
    from the descriptors the process may open.
    """

    head_s: float = 10.0
    body_s: float = 20.0
    idle_s: float = 15.0
    reading_s: float = 30.0
    linger_s: float = 5.0
    shutdown_s: float = 1.0
    connections_max: int | None = None


LIMITS = ConnectionLimits()


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveLimits:
    """How many sockets and long polls there may be, in total and for each caller.

    ``queued_bytes_max``: bytes that may wait to be written to a socket; with more, its client is too slow.
    """

    sockets_max: int
    polls_max: int
    sockets_per_caller: int = 16
    polls_per_caller: int = 16
    queued_bytes_max: int = 256 * 1024


def connections_within(descriptors: int) -> int:
    """Return how many connections a process with this many descriptors may have: half of what is not reserved."""
    return max(4, min(CONNECTIONS_MAX, (descriptors - DESCRIPTORS_RESERVED) // 2))


def live_within(descriptors: int) -> LiveLimits:
    """Return how many sockets and long polls a process with this many descriptors may have.

    Sockets get half of what connections leave, the other half stays for calls to providers. Long polls hold a
    connection each, and get a quarter of them.
    """
    connections = connections_within(descriptors)
    left = descriptors - DESCRIPTORS_RESERVED - connections
    return LiveLimits(sockets_max=max(2, min(SOCKETS_MAX, left // 2)), polls_max=max(1, connections // 4))


CONNECTIONS_MAX = 512
"""Twice the requests under way, so that connections without a request do not take their places."""

SOCKETS_MAX = 4096
"""Some 40 KB of memory each."""

DESCRIPTORS_RESERVED = 48
"""For the databases and their readers, providers, and modules that are imported late. An engine at work has 35."""
