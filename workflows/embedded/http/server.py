"""Serves an ASGI application on 127.0.0.1: uvicorn in a thread of its own."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from workflows.embedded.http.limits import LIMITS, ConnectionLimits

if TYPE_CHECKING:
    from starlette.types import ASGIApp

HEADER_BYTES_MAX = 10_240
"""Request line and header values together: the quota of an HTTP API."""

REQUEST_BYTES_MAX = 4096
"""A message to a WebSocket: longer ones close it with 1009."""

PING_EVERY_S = 20
"""A socket without an answer to a ping for as long is closed: its client is gone."""

DRAIN_WITHIN_S = 30
"""How long ``close`` waits for requests under way: the longest integration timeout of an HTTP API."""


class PortTaken(Exception):
    """The port cannot be listened on, usually because another process does. The message names it."""


class HttpServer:
    """Serves ``app`` on 127.0.0.1 from a thread of its own until ``close``."""

    def __init__(self, app: ASGIApp, port: int, limits: ConnectionLimits = LIMITS) -> None:
        """Listen and start serving.

        Args:
            port: 0 takes a free port; ``self.port`` is the port in use.

        Raises:
            PortTaken: The port cannot be listened on.
        """
        from workflows.embedded.http.connections import LimitedConfig, LimitedServer

        self._socket = _listen(port)
        self.port: int = self._socket.getsockname()[1]
        config = LimitedConfig(
            app,
            limits,
            loop="asyncio",
            ws_max_size=REQUEST_BYTES_MAX,
            ws_ping_interval=PING_EVERY_S,
            ws_ping_timeout=PING_EVERY_S,
            ws_per_message_deflate=False,  # 20 KB of memory a socket, and most of the time of a push
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            h11_max_incomplete_event_size=2 * HEADER_BYTES_MAX,  # header names count here, and not in the quota
            timeout_graceful_shutdown=DRAIN_WITHIN_S,
        )
        self._server = LimitedServer(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Finish the requests under way, then stop. Idempotent."""
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()


def _listen(port: int) -> socket.socket:
    # asyncio sets TCP_NODELAY on accepted sockets only if the listening socket names its protocol. Without it, each
    # request on a kept-alive connection waits 40 ms for a delayed acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise PortTaken(f"cannot listen on 127.0.0.1:{port} ({error.strerror}); choose another port") from error
    return listener
