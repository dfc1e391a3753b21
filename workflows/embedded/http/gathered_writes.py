"""Send the frames that a WebSocket writes in one turn of the event loop together: one system call for all of them."""

from __future__ import annotations

import asyncio
from typing import Any

GATHERED_BYTES_MAX = 32 * 1024
"""With more the transport gets them at once, so that it still notices early that a client does not read."""


class GatheredWrites:
    """A transport that passes what is written on at the end of the turn, in order. Everything else is passed on."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self._pass_on)
        self._waiting.append(data)
        self._waiting_bytes += len(data)
        if self._waiting_bytes >= GATHERED_BYTES_MAX:
            self._pass_on()

    def close(self) -> None:
        self._pass_on()
        self._transport.close()

    def _pass_on(self) -> None:
        if self._waiting:
            data, self._waiting, self._waiting_bytes = b"".join(self._waiting), [], 0
            self._transport.write(data)
