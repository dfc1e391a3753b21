"""One request and its answer over HTTP/1.1, from end to end within its time; and the connections kept for the next.

A socket's timeout begins anew with each byte, so the time left is looked at before every read of it: whatever a
server trickles, its head, sizes of chunks, trailers or one ``100 Continue`` after another, ends in time. Only the
names of hosts are looked up by the system's own patience. A connection is kept only when the caller was content with
the answer: after any other, what comes next on it may belong to the call before. No error quotes what was read.
"""

from __future__ import annotations

import io
import select
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any
from urllib.parse import SplitResult, quote

ANSWER_BYTES_MAX = 65_536
"""Its head too. A receipt has a few hundred."""

IDLE_MAX_S = 60.0
"""A connection that nobody used for longer is not used again. A function's process sleeps between calls, and a NAT
gateway forgets a silent connection after 350 s, load balancers after 60: the first call after that would be lost."""

CONNECTIONS_MAX = 16
"""Kept open for the next call; a function makes one at a time, the embedded engine as many as it has workers."""


class NoAnswer(Exception):
    """In words that hold nothing of what the other side sent."""


class AnswerTooLong(Exception):
    """More than ``ANSWER_BYTES_MAX``."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes


class Exchanges:
    """With one server. Threads may share it; connections are made on first use."""

    def __init__(self, address: SplitResult, now_s: Callable[[], float] = time.monotonic) -> None:
        self._host = address.hostname or ""
        self._port = address.port or (443 if address.scheme == "https" else 80)
        self._path = quote(address.path.rstrip("/"), safe="/%:@!$&'()*+,;=~")
        self._secure = address.scheme == "https"
        self._now_s = now_s
        self._guard = threading.Lock()
        self._kept: list[tuple[float, HTTPConnection]] = []
        self._trust: ssl.SSLContext | None = None

    @contextmanager
    def post(self, path: str, body: bytes, headers: Mapping[str, str], timeout_s: float) -> Iterator[Answer]:
        """Raises NoAnswer, AnswerTooLong. The connection is dropped if the caller raises over the answer."""
        left_s = partial(_left_s, self._now_s() + timeout_s, self._now_s)
        connection = self._fresh() or self._opened(left_s, timeout_s)
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
        """Drop the connections that are kept."""
        with self._guard:
            dropped, self._kept = self._kept, []
        for _, connection in dropped:
            connection.close()

    def _fresh(self) -> HTTPConnection | None:
        """A kept connection that is neither old nor was closed or spoken on meanwhile."""
        while True:
            with self._guard:
                if not self._kept:
                    return None
                used_s, connection = self._kept.pop()
            if self._now_s() - used_s <= IDLE_MAX_S and not _has_something_to_read(connection.sock):
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
            plain = _connected(self._host, self._port, left_s)
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
        except (OSError, UnicodeError) as error:  # UnicodeError: a host that no name server has
            raise NoAnswer(f"no connection: {error}") from error

    def _trusted(self) -> ssl.SSLContext:
        with self._guard:
            if self._trust is None:
                self._trust = ssl.create_default_context()
            return self._trust


class _Timely(io.RawIOBase):
    """Reads a socket until the time is over, or it was too much. In the place of the socket, for ``HTTPResponse``."""

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


def _connected(host: str, port: int, left_s: Callable[[], float]) -> socket.socket:
    """At the first address that answers; each has its share of the time. The socket's timeout is what is left."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for number, (*_, (address, *_)) in enumerate(addresses, start=1):
        share_s = left_s() / (len(addresses) - number + 1)
        try:
            sock = socket.create_connection((str(address), port), share_s)
        except OSError:
            if number == len(addresses):
                raise
            continue
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.settimeout(left_s())
        return sock
    raise OSError(f"{host} has no address")


def _exchanged(
    connection: HTTPConnection,
    path: str,
    body: bytes,
    headers: Mapping[str, str],
    *,
    left_s: Callable[[], float],
    timeout_s: float,
) -> tuple[Answer, bool]:
    """The answer, and whether the server leaves the connection open."""
    try:
        connection.sock.settimeout(left_s())
        connection.request("POST", path, body, dict(headers))
        connection.response_class = partial(_response, left_s)  # type: ignore[assignment]  # it is only called
        with connection.getresponse() as response:
            told = response.read(ANSWER_BYTES_MAX + 1)  # room for what is announced is made before it comes
            if response.length:
                raise IncompleteRead(told, response.length)
            return Answer(response.status, told), not response.will_close
    except TimeoutError:
        raise NoAnswer(f"no answer within {timeout_s:g} s") from None
    except OSError as error:
        raise NoAnswer(f"the connection broke: {error}") from error
    except (HTTPException, ValueError, OverflowError) as error:  # they quote what was read
        raise NoAnswer(f"the connection broke: what came is not HTTP ({type(error).__name__})") from None


def _response(left_s: Callable[[], float], sock: socket.socket, **how: Any) -> HTTPResponse:
    return HTTPResponse(_Timely(sock, left_s), **how)  # type: ignore[arg-type]  # it is only asked for makefile()


def _has_something_to_read(sock: socket.socket) -> bool:
    """Nothing was asked on it: it was closed, or there is an answer to no question."""
    if isinstance(sock, ssl.SSLSocket) and sock.pending():
        return True
    poll = select.poll()  # select() cannot take the 1025th file
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
