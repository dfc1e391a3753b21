"""What a connection may cost: time limits, a cap of connections, and a stop that does not wait for stalled clients."""

from __future__ import annotations

import asyncio
import json
import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from websockets.sync.client import connect

from workflows.embedded.http.connections import connections_within
from workflows.embedded.http.limits import ConnectionLimits
from workflows.embedded.http.server import HttpServer

DEADLINE_S = 20.0
LONG_S = 3600.0
PATIENT = {"head_s": LONG_S, "body_s": LONG_S, "idle_s": LONG_S, "reading_s": LONG_S}
HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n"

Serve = Callable[..., "Served"]


class Served:
    """A server of an application that reads the body, waits at a gate, and answers with many bytes."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.arrived = threading.Semaphore(0)
        self.gate = asyncio.Event()
        app = Starlette(
            routes=[
                Route("/", self._read, methods=["GET", "POST"]),
                Route("/refuse", self._refuse, methods=["POST"]),
                Route("/wait", self._wait),
                Route("/large", self._large),
                WebSocketRoute("/socket", self._socket),
                WebSocketRoute("/refused", self._refused),
                WebSocketRoute("/listening", self._listen),
            ]
        )
        self.server = HttpServer(app, 0, limits)
        self.url = f"http://127.0.0.1:{self.server.port}"

    async def _read(self, request: Request) -> Response:
        self.arrived.release()
        return PlainTextResponse(await request.body())

    async def _refuse(self, request: Request) -> Response:
        return PlainTextResponse("too large", 413)

    async def _wait(self, request: Request) -> Response:
        self._loop = asyncio.get_running_loop()
        self.arrived.release()
        await self.gate.wait()
        return PlainTextResponse("waited")

    async def _large(self, request: Request) -> Response:
        self.arrived.release()
        return Response(bytes(int(request.query_params["bytes"])))

    async def _refused(self, socket: WebSocket) -> None:
        await socket.send_denial_response(PlainTextResponse("no ticket", 403))

    async def _listen(self, socket: WebSocket) -> None:
        await socket.accept()
        self.arrived.release()
        while (await socket.receive())["type"] != "websocket.disconnect":
            pass

    async def _socket(self, socket: WebSocket) -> None:
        """Send one message when the gate opens, and then more than the kernel's buffers take."""
        await socket.accept()
        self._loop = asyncio.get_running_loop()
        self.arrived.release()
        await self.gate.wait()
        await socket.send_text("waited")
        while True:
            await socket.send_bytes(bytes(1024 * 1024))

    def open_gate(self) -> None:
        self._loop.call_soon_threadsafe(self.gate.set)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=DEADLINE_S)

    def connect_with_small_buffers(self) -> socket.socket:
        """Connect so that the two kernels keep a few KB of a response, and the server's process the rest."""
        self.server._socket.setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, 4096
        )  # for connections accepted from now on
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(DEADLINE_S)
        connection.connect(("127.0.0.1", self.server.port))
        return connection


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Serve with these limits until the end of the test; limits that are not named are an hour."""
    opened: list[Served] = []

    def open_(**limits: float) -> Served:
        opened.append(Served(ConnectionLimits(**(PATIENT | limits))))  # type: ignore[arg-type]  # one of them is an int
        return opened[-1]

    yield open_
    for served in opened:
        served.server.close()


def is_closed(connection: socket.socket) -> bool:
    """Wait until the server closes the connection, and ignore what it sends before."""
    with suppress(ConnectionResetError):
        while connection.recv(65_536):
            pass
    return True


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nX-Long: "])
def test_a_head_that_does_not_come_closes_the_connection(serve: Serve, sent: bytes) -> None:
    """Also if a part of it came."""
    with serve(head_s=0.05).connect() as connection:
        connection.sendall(sent)
        assert is_closed(connection)


def test_a_second_head_that_stalls_closes_a_kept_connection(serve: Serve) -> None:
    """The limit begins with its first byte and is not extended by further bytes."""
    with serve(head_s=0.5).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HT")
        assert connection.recv(12) == b"HTTP/1.1 200"
        connection.sendall(b"TP/1.1\r\n")
        assert is_closed(connection)


def test_a_body_that_does_not_come_is_answered_408(serve: Serve) -> None:
    """A problem document, and then the connection is closed. The application gets ClientDisconnect."""
    with serve(body_s=0.05, linger_s=0.05).connect() as connection:
        connection.sendall(HEAD + b"1234")
        head, _, body = b"".join(iter(lambda: connection.recv(65_536), b"")).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
        assert b"Content-Type: application/problem+json" in head
        assert (json.loads(body)["status"], json.loads(body)["instance"]) == (408, "/")


@pytest.mark.parametrize("path", [b"/", b"/refuse"], ids=["late", "refused"])
@pytest.mark.parametrize("more", [b"", b"Connection: close\r\n"], ids=["kept", "to be closed"])
def test_a_client_that_sends_on_reads_the_response_all_the_same(serve: Serve, path: bytes, more: bytes) -> None:
    """A socket that is closed with unread bytes is reset, and the reset discards the response on its way."""
    served = serve(body_s=0.2, linger_s=DEADLINE_S)
    with served.connect() as connection:
        connection.sendall(b"POST %b HTTP/1.1\r\nHost: a\r\n%bContent-Length: 40000000\r\n\r\n" % (path, more))
        status = connection.recv(12, socket.MSG_PEEK)  # the response is on its way
        half_closed = select.poll()
        half_closed.register(connection, select.POLLRDHUP)
        assert half_closed.poll(DEADLINE_S * 1000)  # the server keeps a connection until the body's time is over
        for _ in range(200):
            connection.sendall(bytes(100_000))
        assert connection.recv(65_536).startswith(status)
        assert status in {b"HTTP/1.1 408", b"HTTP/1.1 413"}


def test_a_connection_that_is_read_to_its_end_is_not_kept_for_ever(serve: Serve) -> None:
    """A client that never stops sending loses it."""
    served = serve(body_s=0.05, linger_s=0.05)
    with served.connect() as connection, suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(HEAD.replace(b": 9", b": 999999999"))
        while True:
            connection.sendall(bytes(100_000))


def test_a_kept_connection_is_closed_when_it_is_idle(serve: Serve) -> None:
    with serve(idle_s=0).connect() as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert is_closed(connection)


@pytest.mark.parametrize("size", [16 * 1024 * 1024, 50_000], ids=["most of it unsent", "the rest of it unsent"])
def test_a_response_that_is_not_read_closes_the_connection(serve: Serve, size: int) -> None:
    """Otherwise its bytes would stay in memory, and its descriptor taken, until the client reads them.

    Of the small response, less is left than what stops an application from writing.
    """
    served = serve(reading_s=0.05, head_s=0.5, idle_s=0)
    with served.connect_with_small_buffers() as connection:
        connection.sendall(b"GET /large?bytes=%d HTTP/1.1\r\nHost: a\r\n\r\n" % size)
        assert served.arrived.acquire(timeout=DEADLINE_S)
        with served.connect() as later:
            assert is_closed(later)  # so the other limits have passed too
        assert not served.server._server.server_state.connections


def test_connections_with_unread_responses_hold_no_more_than_their_places(serve: Serve) -> None:
    """A newer connection takes the place of one that is closing until its client reads."""
    served = serve(connections_max=4, idle_s=0)
    silent = []
    for _ in range(12):
        silent.append(served.connect_with_small_buffers())
        silent[-1].sendall(b"GET /large?bytes=50000 HTTP/1.1\r\nHost: a\r\n\r\n")
        assert silent[-1].recv(12) == b"HTTP/1.1 200"
    assert httpx.get(served.url).status_code == 200
    assert len(served.server._server.server_state.connections) <= 4
    for connection in silent:
        connection.close()


SOCKET_HEAD = (
    b"GET %b HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%b\r\n"
)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        (b"/refused", b"", b"403"),
        (b"/socket?" + b"a" * 9000, b"", b"414"),
        (b"/socket", b"X-Long: " + b"a" * 9000 + b"\r\n", b"431"),
        (b"/socket", b"".join(b"X-%d: a\r\n" % number for number in range(200)), b"431"),
    ],
    ids=["by the application", "a path too long", "a header too long", "too many headers"],
)
def test_a_socket_that_is_refused_gets_a_response_and_loses_its_connection(
    serve: Serve, path: bytes, headers: bytes, status: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    """No limit of time ends a connection that has asked for a socket. The client's fault is no error in the log."""
    served = serve()
    with served.connect() as connection:
        connection.sendall(SOCKET_HEAD % (path, headers))
        assert connection.recv(12) == b"HTTP/1.1 " + status
        assert is_closed(connection)
    served.server.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_text_that_is_not_utf_8_closes_its_socket_without_an_error_in_the_log(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    """1007 is the code for it."""
    served = serve()
    with served.connect() as connection:
        connection.sendall(SOCKET_HEAD % (b"/listening", b""))
        assert served.arrived.acquire(timeout=DEADLINE_S)
        connection.sendall(b"\x81\x81\x00\x00\x00\x00\xff")
        sent = b"".join(iter(lambda: connection.recv(65_536), b""))
        assert sent.endswith(b"\x88\x02" + (1007).to_bytes(2))
    served.server.close()
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


def test_a_request_that_is_served_has_no_limit_but_the_applications(serve: Serve) -> None:
    """The limits pass while it is served."""
    served = serve(body_s=0.05, idle_s=0.05, reading_s=0.05)
    with served.connect() as slow, served.connect() as stalled:
        slow.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert served.arrived.acquire(timeout=DEADLINE_S)
        stalled.sendall(HEAD)
        assert is_closed(stalled)  # so the limits have passed
        served.open_gate()
        assert b"waited" in b"".join(iter(lambda: slow.recv(65_536), b""))


def test_a_socket_has_no_limit_of_a_request(serve: Serve) -> None:
    """A client of live updates may have nothing to send for hours. Pings show whether it is there."""
    served = serve(head_s=0.05, body_s=0.05, idle_s=0.05)
    with (
        connect(f"ws://127.0.0.1:{served.server.port}/socket", compression=None) as socket,
        served.connect() as stalled,
    ):
        assert served.arrived.acquire(timeout=DEADLINE_S)
        stalled.sendall(HEAD)
        assert is_closed(stalled)  # so the limits have passed
        served.open_gate()
        assert socket.recv(timeout=DEADLINE_S) == "waited"


def test_a_socket_whose_client_does_not_read_is_aborted(serve: Serve) -> None:
    """uvicorn would keep it and its descriptor for ever."""
    served = serve(reading_s=0.05)
    with served.connect() as silent:
        key = b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        silent.sendall(
            b"GET /socket HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" + key + b"\r\n"
        )
        assert served.arrived.acquire(timeout=DEADLINE_S)
        served.open_gate()
        deadline = time.monotonic() + DEADLINE_S
        while served.server._server.server_state.connections:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD], ids=["silent", "half a head", "no body"])
def test_a_new_connection_gets_the_place_of_the_one_that_has_waited_longest_for_its_client(
    serve: Serve, sent: bytes
) -> None:
    """So connections that send nothing, or half a request, do not shut out others, whatever their number."""
    served = serve(connections_max=4)
    stalled = [served.connect() for _ in range(20)]
    for connection in stalled:
        with suppress(BrokenPipeError, ConnectionResetError):  # it has lost its place
            connection.sendall(sent)
    assert httpx.get(served.url).status_code == 200
    assert all(is_closed(connection) for connection in stalled[:16])
    assert len(served.server._server.server_state.connections) <= 4
    for connection in stalled:
        connection.close()


def test_a_connection_whose_request_is_served_keeps_its_place(serve: Serve) -> None:
    """When all of them are served, the newest connection is refused."""
    served = serve(connections_max=2)
    served_connections = [served.connect() for _ in range(2)]
    for connection in served_connections:
        connection.sendall(b"GET /wait HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert served.arrived.acquire(timeout=DEADLINE_S)
    with served.connect() as newest:
        assert is_closed(newest)
    served.open_gate()
    for connection in served_connections:
        assert b"waited" in b"".join(iter(lambda connection=connection: connection.recv(65_536), b""))  # type: ignore[misc]  # bound now
        connection.close()


@pytest.mark.parametrize("sent", [b"", b"GET / HT", HEAD], ids=["silent", "half a head", "no body"])
def test_a_stop_does_not_wait_for_a_stalled_client(serve: Serve, sent: bytes) -> None:
    """It would take 30 s otherwise, the time that requests under way have."""
    served = serve(shutdown_s=0.05)
    with served.connect() as connection:
        connection.sendall(sent)
        if sent == HEAD:
            assert served.arrived.acquire(timeout=DEADLINE_S)
        begun = time.monotonic()
        served.server.close()
        assert time.monotonic() - begun < 15
        assert is_closed(connection)


@pytest.mark.parametrize(("descriptors", "connections"), [(64, 8), (256, 104), (1024, 488), (1_048_576, 512)])
def test_there_are_fewer_connections_than_descriptors(descriptors: int, connections: int) -> None:
    """The databases and the providers need some too."""
    assert connections_within(descriptors) == connections
