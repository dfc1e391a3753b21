"""Send one HTTP/1.1 request and read its answer within a deadline, and keep connections for the next request.

A socket's timeout starts again with each byte, so the remaining time is set before every read: a server that trickles
headers, chunk sizes, trailers or ``100 Continue`` answers exceeds the deadline. Only the lookup of host names has the
system's own timeout. A connection is kept only if the caller accepted the answer; otherwise the next bytes on it may
belong to the call before. No error quotes bytes that were read.

Why not a connection pool of a library: urllib3's timeouts are per socket operation, its pool takes a connection back
before the caller has judged the answer, and it does not limit how long a connection was idle.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import SplitResult, quote

ANSWER_BYTES_MAX = 65_536
"""The limit of an answer, headers included. A receipt has a few hundred bytes."""

IDLE_MAX_S = 60.0
"""A connection that was idle for longer is not used again. A function's process is frozen between calls, and load
balancers drop an idle connection after 60 s, NAT gateways after 350 s: the next call on it would be lost."""

CONNECTIONS_MAX = 16
"""Connections kept open. A function makes one call at a time, the embedded engine as many as it has workers."""


class NoAnswer(Exception):
    """There is no usable answer. The message quotes nothing that the server sent."""


class AnswerTooLong(Exception):
    """The answer has more than ``ANSWER_BYTES_MAX`` bytes."""


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer."""

    status: int
    body: bytes


def addresses_of(host: str, port: int) -> Sequence[str]:
    """Look up the IP addresses of a host, those to try first in front. Raises OSError, UnicodeError."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address) for *_, (address, *_) in entries))


class Exchanges:
    """Requests to one server. Safe to use from several threads; it connects on first use."""

    def __init__(
        self,
        address: SplitResult,
        now_s: Callable[[], float] = time.monotonic,
        addresses: Callable[[str, int], Sequence[str]] = addresses_of,
    ) -> None:
        """``addresses`` returns the IP addresses to connect to, and no other is; it may refuse with an OSError."""
        self._addresses = addresses
        self._host = address.hostname or ""
        self._port = address.port or (443 if address.scheme == "https" else 80)
        self._path = quote(address.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        self._secure = address.scheme == "https"
        self._now_s = now_s
        self._guard = threading.Lock()
        self._kept: list[tuple[float, HTTPConnection]] = []
        self._trust: ssl.SSLContext | None = None

    @contextmanager
    def post(self, path: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Iterator[HttpAnswer]:
        """Send a POST request and yield its answer. The connection is closed if the caller's block raises.

        Raises:
            NoAnswer: No complete answer within ``timeout_s`` seconds. The server may have got the request.
            AnswerTooLong: The answer exceeds the limit.
        """
        left_s = partial(_left_s, self._now_s() + timeout_s, self._now_s)
        connection = self._reusable() or self._opened(left_s, timeout_s)
        kept = False
        try:
            answer, kept_open = _exchanged(
                connection, self._path + path, body, headers, left_s=left_s, timeout_s=timeout_s
            )
            yield answer
            kept = kept_open
        finally:
            if kept:
                self._keep(connection)
            else:
                connection.close()

    def close(self) -> None:
        """Close the connections that are kept."""
        with self._guard:
            connections, self._kept = self._kept, []
        for _, connection in connections:
            connection.close()

    def _reusable(self) -> HTTPConnection | None:
        """Return a kept connection that was not idle for too long and on which nothing arrived, if there is one."""
        while True:
            with self._guard:
                if not self._kept:
                    return None
                used_s, connection = self._kept.pop()
            if self._now_s() - used_s <= IDLE_MAX_S and not _is_readable(connection.sock):
                return connection
            connection.close()

    def _keep(self, connection: HTTPConnection) -> None:
        with self._guard:
            if len(self._kept) < CONNECTIONS_MAX:
                self._kept.append((self._now_s(), connection))
                return
        connection.close()

    def _opened(self, left_s: Callable[[], float], timeout_s: float) -> HTTPConnection:
        try:
            plain = _connected(self._addresses(self._host, self._port), self._port, left_s)
            if not self._secure:
                connection = HTTPConnection(self._host, self._port)
                connection.sock = plain
                return connection
            trust = self._trusted()
            secure = HTTPSConnection(self._host, self._port, context=trust)
            secure.sock = trust.wrap_socket(plain, server_hostname=self._host)
            return secure
        except TimeoutError:
            raise NoAnswer(f"no connection within {timeout_s:g} s") from None
        except ssl.SSLError as error:
            raise NoAnswer(f"no secure connection: {error}") from error
        except (OSError, UnicodeError) as error:  # UnicodeError: not a valid host name
            raise NoAnswer(f"no connection: {error}") from error

    def _trusted(self) -> ssl.SSLContext:
        with self._guard:
            if self._trust is None:
                self._trust = ssl.create_default_context()
            return self._trust


class _DeadlineReader(io.RawIOBase):
    """Reads a socket up to the deadline and the byte limit. ``HTTPResponse`` gets it in place of the socket."""

    def __init__(self, sock: socket.socket, left_s: Callable[[], float]) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._left_s = left_s
        self._bytes = 0

    def makefile(self, *_: object) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._left_s())
        read: int | None = self._raw.readinto(buffer)
        self._bytes += read or 0
        if self._bytes > ANSWER_BYTES_MAX:
            raise AnswerTooLong(f"it has more than {ANSWER_BYTES_MAX} bytes")
        return read

    def close(self) -> None:
        self._raw.close()
        super().close()


def _left_s(ends_s: float, now_s: Callable[[], float]) -> float:
    left = ends_s - now_s()
    if left <= 0:
        raise TimeoutError
    return left


def _connected(addresses: Sequence[str], port: int, left_s: Callable[[], float]) -> socket.socket:
    """Connect to the first address that accepts. Each address gets an equal share of the remaining time."""
    for number, address in enumerate(addresses, start=1):
        share_s = left_s() / (len(addresses) - number + 1)
        try:
            sock = socket.create_connection((address, port), share_s)
        except OSError:
            if number == len(addresses):
                raise
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(left_s())
        return sock
    raise OSError("the host has no address")


def _exchanged(
    connection: HTTPConnection,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    left_s: Callable[[], float],
    timeout_s: float,
) -> tuple[HttpAnswer, bool]:
    """Return the answer, and whether the server leaves the connection open."""
    try:
        connection.sock.settimeout(left_s())
        connection.request("POST", path, body, dict(headers))
        connection.response_class = partial(_response, left_s)  # type: ignore[assignment]  # it is only called
        with connection.getresponse() as response:
            content = response.read(ANSWER_BYTES_MAX + 1)  # bounded: http.client allocates the announced length
            if response.length:
                raise IncompleteRead(content, response.length)
            return HttpAnswer(response.status, content), not response.will_close
    except TimeoutError:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswer(f"the connection broke: {error}") from error
    except (HTTPException, ValueError, OverflowError) as error:  # these errors quote what was read
        raise NoAnswer(f"the connection broke: the answer is not HTTP ({type(error).__name__})") from None


def _response(left_s: Callable[[], float], sock: socket.socket, **how: Any) -> HTTPResponse:
    return HTTPResponse(_DeadlineReader(sock, left_s), **how)  # type: ignore[arg-type]  # HTTPResponse only calls makefile()


def _is_readable(sock: socket.socket) -> bool:
    """Whether bytes or the end wait on an idle connection. Then the server closed it, or sent an unrequested answer."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poll = select.poll()  # select() is limited to 1,024 open files
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
