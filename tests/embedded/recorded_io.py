"""Records in one order what a process writes to its databases, when a sync has returned, and every byte that it sends.

``Recording`` is two lists with one numbering. Afterwards ``durable_from`` replays the writes and syncs of one database
and returns since when each of its rows would have survived a power cut: only what was synced is taken over, and SQLite
itself reads the result. ``messages`` puts the bytes together again, by connection and direction.
"""

from __future__ import annotations

import os
import socket
import ssl
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import apsw
import pytest


class Step(NamedTuple):
    """One call to the disk. A write is numbered before it is made, a sync after it has returned."""

    number: int
    file: str
    call: str
    offset: int = 0
    data: bytes = b""


class Sent(NamedTuple):
    """Bytes handed to the kernel, numbered before that; and the ports of both ends."""

    number: int
    local: int
    peer: int
    data: bytes


class Message(NamedTuple):
    """An HTTP message or a WebSocket's text: the number of its first byte, and all of its bytes."""

    number: int
    data: bytes

    def header(self, name: str) -> str:
        """Return a header's value, or an empty text."""
        head = self.data.partition(b"\r\n\r\n")[0].decode("latin-1")
        found = (line.partition(":")[2].strip() for line in head.split("\r\n") if line.lower().startswith(f"{name}:"))
        return next(found, "")

    @property
    def body(self) -> bytes:
        return self.data.partition(b"\r\n\r\n")[2]


@dataclass
class Recording:
    """What happened, in order."""

    steps: list[Step] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    numbers: Iterator[int] = field(default_factory=count)

    def send(self, sender: socket.socket, data: bytes, send: Callable[[], int | None]) -> int | None:
        """Call ``send``, and record what it took of the data."""
        number = next(self.numbers)
        taken = send()
        with suppress(OSError):  # the other end has gone meanwhile
            if sender.family == socket.AF_INET:
                ports = sender.getsockname()[1], sender.getpeername()[1]
                self.sent.append(Sent(number, *ports, data if taken is None else data[:taken]))
        return taken

    def connections_from(self, port: int) -> dict[int, list[Sent]]:
        """What was sent by a server, by the port of the client."""
        return self._by_connection(lambda sent: (sent.local == port, sent.peer))

    def connections_to(self, port: int) -> dict[int, list[Sent]]:
        """What was sent to a server, by the port of the client."""
        return self._by_connection(lambda sent: (sent.peer == port, sent.local))

    def requests(self, port: int) -> Iterator[Message]:
        """Yield the requests to a server."""
        for requests in self.connections_to(port).values():
            yield from _http(requests)

    def exchanges(self, port: int) -> Iterator[tuple[Message, Message]]:
        """Yield the requests to a server that were answered, each with its answer."""
        answers = self.connections_from(port)
        for client, requests in self.connections_to(port).items():
            yield from zip(_http(requests), _http(answers.get(client, [])), strict=False)

    def _by_connection(self, chosen: Any) -> dict[int, list[Sent]]:
        connections: defaultdict[int, list[Sent]] = defaultdict(list)
        for sent in sorted(self.sent):
            is_chosen, client = chosen(sent)
            if is_chosen:
                connections[client].append(sent)
        return connections

    def durable_from(self, database: Path, scratch: Path, rows: str) -> dict[Hashable, int]:
        """Return the number of the sync that made each row durable.

        Args:
            scratch: An empty folder.
            rows: A query of one column.
        """
        found: dict[Hashable, int] = {}
        waiting: defaultdict[str, list[Step]] = defaultdict(list)
        names = {str(database): scratch / "image", f"{database}-wal": scratch / "image-wal"}
        for step in self.steps:
            if step.file not in names:
                continue
            if step.call != "sync":
                waiting[step.file].append(step)
                continue
            _apply(waiting.pop(step.file, []), names[step.file])
            for row in _rows(scratch / "image", rows):
                found.setdefault(row, step.number)
        return found


def websocket_texts(connection: list[Sent]) -> Iterator[Message]:
    """Yield the texts that a server sent on a WebSocket, after its handshake."""
    data, numbers = b"", []
    for sent in connection:
        data += sent.data
        numbers += [sent.number] * len(sent.data)
    start = data.index(b"\r\n\r\n") + 4
    while start + 2 <= len(data):
        size, head = data[start + 1] & 0x7F, 2
        if size == 126:
            size, head = int.from_bytes(data[start + 2 : start + 4]), 4
        if data[start] & 0x0F == 1:
            yield Message(numbers[start], data[start + head : start + head + size])
        start += head + size


def _http(connection: list[Sent]) -> list[Message]:
    """Split a direction of a connection into its messages. Each begins with a call of ``send``."""
    messages: list[Message] = []
    for sent in connection:
        if sent.data.startswith(b"HTTP/1.") or b" HTTP/1.1\r\n" in sent.data:
            messages.append(Message(sent.number, sent.data))
        elif messages:
            messages[-1] = Message(messages[-1].number, messages[-1].data + sent.data)
    return messages


def _apply(steps: list[Step], image: Path) -> None:
    file = os.open(image, os.O_RDWR | os.O_CREAT)
    for step in steps:
        if step.call == "truncate":
            os.truncate(file, step.offset)
        else:
            os.pwrite(file, step.data, step.offset)
    os.close(file)


def _rows(image: Path, query: str) -> list[Hashable]:
    """Let SQLite recover a file as after a power cut, and read it. It has no rows before its tables are durable."""
    if not image.exists():
        return []
    connection = apsw.Connection(str(image), vfs="unix")
    try:
        connection.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)
        connection.execute("PRAGMA locking_mode = EXCLUSIVE").close()  # no shared index: each opening recovers
        return [row[0] for row in connection.execute(query)]
    except apsw.SQLError:
        return []
    finally:
        connection.close()


class _RecordedFile(apsw.VFSFile):
    def __init__(self, recording: Recording, name: str | apsw.URIFilename, flags: list[int]) -> None:
        super().__init__("unix", name, flags)  # "" would be the recording itself, which is the default
        self._name = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._recording = recording

    def _add(self, call: str, offset: int = 0, data: bytes = b"") -> None:
        self._recording.steps.append(Step(next(self._recording.numbers), self._name, call, offset, data))

    def xWrite(self, data: Any, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._add("write", offset, bytes(data))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802 - SQLite's name
        self._add("truncate", newsize)
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        super().xSync(flags)
        self._add("sync")


class _RecordingVfs(apsw.VFS):
    def __init__(self, recording: Recording) -> None:
        self._recording = recording
        super().__init__(f"recording-{id(self)}", "unix", makedefault=True)

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802 - SQLite's name
        if name is None:
            return super().xOpen(name, flags)
        return _RecordedFile(self._recording, name, flags)


@contextmanager
def recording() -> Iterator[Recording]:
    """Record the databases that are opened in this block, and all sockets of this process."""
    made = Recording()
    vfs = _RecordingVfs(made)
    with pytest.MonkeyPatch.context() as patched:
        for owner in (socket.socket, ssl.SSLSocket):
            _record_calls(patched, owner, made)
        try:
            yield made
        finally:
            vfs.unregister()


def _record_calls(patched: pytest.MonkeyPatch, owner: type[socket.socket], made: Recording) -> None:
    send, sendall, sendmsg = owner.send, owner.sendall, owner.sendmsg

    def recorded_send(self: socket.socket, data: Any, *more: Any) -> Any:
        return made.send(self, bytes(data), lambda: send(self, data, *more))

    def recorded_sendall(self: socket.socket, data: Any, *more: Any) -> Any:
        return made.send(self, bytes(data), lambda: sendall(self, data, *more))

    def recorded_sendmsg(self: socket.socket, buffers: Any, *more: Any) -> Any:
        buffers = list(buffers)
        return made.send(self, b"".join(buffers), lambda: sendmsg(self, buffers, *more))

    patched.setattr(owner, "send", recorded_send)
    patched.setattr(owner, "sendall", recorded_sendall)
    patched.setattr(owner, "sendmsg", recorded_sendmsg)
