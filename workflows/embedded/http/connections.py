"""Bounds what a connection may cost: uvicorn's HTTP protocol with time limits and a cap of connections.

uvicorn limits only the time that a kept-alive connection is idle. Without further limits, a client that connects and
sends nothing, sends half a request, or does not read its response holds a descriptor for ever.
"""

from __future__ import annotations

import asyncio
import json
import logging
import resource
import socket
from collections.abc import Iterable
from enum import Enum, auto
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from workflows.embedded.http.gathered_writes import GatheredWrites
from workflows.embedded.http.gentle_close import GentleTransport
from workflows.embedded.http.limits import ConnectionLimits, connections_within
from workflows.embedded.http.problems import PROBLEM_JSON, problem_json

if TYPE_CHECKING:
    from uvicorn._types import ASGISendEvent

log = logging.getLogger(__name__)

ACCEPTED_AT_ONCE = 4
"""Connections that are accepted before the first of them is counted against the cap."""

SEND_BUFFER_BYTES = 128 * 1024
"""What the kernel keeps of what a WebSocket's client has not read. A message has some 4 KB."""

QUEUED_MAX = 1024
"""Connections that wait in the kernel, which take no descriptor."""


class _Waits(Enum):
    """What a connection waits for its client to do. Each has a time limit."""

    HEAD = auto()
    BODY = auto()
    READING = auto()


class LimitedConfig(uvicorn.Config):
    """uvicorn's configuration, with the limits of connections."""

    def __init__(self, app: Any, limits: ConnectionLimits, **options: Any) -> None:
        super().__init__(
            app,
            http=LimitedConnection,
            ws=LimitedSocket,
            backlog=ACCEPTED_AT_ONCE,
            timeout_keep_alive=int(limits.idle_s),
            **options,
        )
        self.limits = limits
        self.connections_max = limits.connections_max or connections_within(
            resource.getrlimit(resource.RLIMIT_NOFILE)[0]
        )


class LimitedServer(uvicorn.Server):
    """uvicorn's server. asyncio accepts ``backlog`` connections in a row, so the kernel's queue is set apart."""

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(QUEUED_MAX)


class LimitedConnection(H11Protocol):
    """A connection that is closed when its client takes too long, or when a newer one needs its place."""

    config: LimitedConfig

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._waits: _Waits | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._writing_paused = False
        self._upgraded = False
        self.quiet_since: float | None = None
        """Since when it has waited for its client; None while its request is being served."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn's own
        limits = self.config.limits
        self.gentle = GentleTransport(
            transport, self._is_client_sending, linger_s=limits.linger_s, reading_s=limits.reading_s
        )
        super().connection_made(cast("asyncio.Transport", self.gentle))
        self._follow()
        _make_room(self.connections, self.config.connections_max)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # the response is sent, and the rest of the request is discarded
        super().data_received(data)
        self._follow()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._follow()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing_paused = True
        self._follow()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._writing_paused = False
        self._follow()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        self._upgraded = True  # the connection is a LimitedSocket's from here on
        self._stop_timer()
        super().handle_websocket_upgrade(event)

    def shutdown(self) -> None:
        """Close when the response is sent; soon, if the client has to do something first."""
        if self.gentle.is_closing():
            self.transport.abort()
            return
        self.gentle.linger_s = self.config.limits.shutdown_s
        super().shutdown()
        if self._waits in (_Waits.BODY, _Waits.READING):
            self._start_timer(self.config.limits.shutdown_s)

    def _follow(self) -> None:
        """Start the time limit of what the connection waits for now, if that has changed."""
        if self._upgraded:
            return
        waits = self._now_waits()
        idle = self.cycle is None or self.cycle.response_complete
        if waits is None and not idle:
            self.quiet_since = None
        elif self.quiet_since is None:
            self.quiet_since = self.loop.time()
        if waits is self._waits:
            return
        self._waits = waits
        self._stop_timer()
        if waits is not None:
            limits = self.config.limits
            limit_s = {_Waits.HEAD: limits.head_s, _Waits.BODY: limits.body_s, _Waits.READING: limits.reading_s}
            self._start_timer(limit_s[waits])

    def _now_waits(self) -> _Waits | None:
        """Return what the client has to do next; None if its request is being served, or it may be idle."""
        if self.transport.is_closing():
            return None
        if self._writing_paused:
            return _Waits.READING
        if self.conn.their_state is h11.SEND_BODY:
            return _Waits.BODY
        if self.cycle is None or (self.cycle.response_complete and self.conn.trailing_data[0]):
            return _Waits.HEAD
        return None

    def _start_timer(self, limit_s: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(limit_s, self._give_up)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _give_up(self) -> None:
        log.info("a connection was closed because its client took too long", extra={"waited_for": str(self._waits)})
        if self._waits is not _Waits.BODY:
            self.transport.abort()
        elif self.cycle.response_complete:
            self.transport.close()
        elif self.cycle.response_started:
            self.transport.abort()
        else:
            self._answer_late_body()

    def _answer_late_body(self) -> None:
        """Answer 408, and let the application know that no more of the body will come."""
        self.scope["late"] = True  # type: ignore[typeddict-unknown-key]  # for the application's count of responses
        self.cycle.disconnected = True
        self.cycle.message_event.set()
        document = problem_json(HTTPStatus.REQUEST_TIMEOUT, "The body did not arrive in time.", self.scope["path"])
        body = json.dumps(document).encode()
        headers = [
            ("Content-Type", PROBLEM_JSON),
            ("Content-Length", str(len(body))),
            ("Connection", "close"),
        ]
        head = h11.Response(status_code=408, headers=headers, reason=b"Request Timeout")
        for event in (head, h11.Data(data=body), h11.EndOfMessage()):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()

    def _is_client_sending(self) -> bool:
        """Whether the rest of a request's body may be on its way."""
        return self.conn.their_state is h11.SEND_BODY


class LimitedSocket(WebSocketsSansIOProtocol):
    """A WebSocket that is aborted when its client does not read for too long. uvicorn would keep it for ever.

    A refusal and a client's fault are lines of level info; uvicorn logs them as errors of the application.
    """

    config: LimitedConfig
    _abort: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        gathered = GatheredWrites(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", gathered))
        # The kernel would buffer 4 MB for each client that does not read.
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def data_received(self, data: bytes) -> None:
        """Handle what the client sends, until the socket is closed: a message that is too large goes on after that."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self._refuse_head(self.conn.handshake_exc)

    async def send(self, message: ASGISendEvent) -> None:
        await super().send(message)
        if self.initial_response is not None and self.close_sent:
            self.handshake_complete = True  # it was refused; without this, uvicorn logs a missing handshake

    def send_receive_event_to_app(self) -> None:
        """Pass a message on, or close the socket with 1007 if its text is not UTF-8."""
        try:
            if self.curr_msg_data_type == "text":
                b"".join(self.frames).decode()
        except UnicodeDecodeError:
            log.info("a socket was closed because its client sent text that is not UTF-8")
            self.conn.send_close(1007)
            self.handle_parser_exception()
        else:
            super().send_receive_event_to_app()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._abort = self.loop.call_later(self.config.limits.reading_s, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_timer()
        super().connection_lost(exc)

    def _refuse_head(self, cause: Exception) -> None:
        """Send the refusal of a head that HTTP allows and websockets does not, e.g. one with 200 headers.

        uvicorn sends nothing and keeps the connection, which no limit ends.
        """
        log.info("a socket was refused", extra={"cause": type(cause).__name__})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.transport.close()

    def _stop_timer(self) -> None:
        if self._abort is not None:
            self._abort.cancel()
            self._abort = None


def _make_room(connections: Iterable[object], connections_max: int) -> None:
    """Close the connection that has waited longest for its client, or else the newest, if there are too many."""
    limited = [found for found in connections if isinstance(found, LimitedConnection)]
    open_ = [found for found in limited if not found.gentle.is_gone]
    if len(open_) <= connections_max:
        return
    quiet = [(found.quiet_since, number) for number, found in enumerate(open_) if found.quiet_since is not None]
    open_[min(quiet)[1]].transport.abort()  # the new connection is one of them
