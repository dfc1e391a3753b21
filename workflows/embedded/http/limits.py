"""The limits of connections. They are apart from the protocol so that a program can name them without uvicorn."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """How long a connection may wait for its client, in seconds, and how many there may be.

    ``head_s``: from the connection, or the first byte of a later request, to the end of a request's head. ``body_s``:
    from there to the end of its body. ``idle_s``: between two requests. ``reading_s``: while the client does not read
    its response. ``shutdown_s``: while the server stops, instead of the others. ``connections_max``: None, for a number
    that follows from the descriptors the process may open.
    """

    head_s: float = 10.0
    body_s: float = 20.0
    idle_s: float = 15.0
    reading_s: float = 30.0
    shutdown_s: float = 1.0
    connections_max: int | None = None


LIMITS = ConnectionLimits()
