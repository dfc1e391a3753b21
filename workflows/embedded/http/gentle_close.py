"""Close a connection without losing a response that its client has not read yet, and without waiting for ever.

A socket that is closed while unread bytes of its client wait in the kernel is reset, and the reset discards the
response on its way. So the sending half is closed first, and what the client still sends is read and discarded. asyncio
closes a transport once its buffer is written, which a client that does not read prevents: a time limit ends that.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any


class GentleTransport:
    """A transport whose ``close`` waits for a client that is still sending, or has not read its response, for a while.

    Everything else is passed to the transport itself, ``abort`` too.
    """

    def __init__(
        self, transport: asyncio.Transport, is_client_sending: Callable[[], bool], *, linger_s: float, reading_s: float
    ) -> None:
        self._transport = transport
        self._is_client_sending = is_client_sending
        self.linger_s = linger_s
        self._reading_s = reading_s
        self.is_lingering = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    @property
    def is_gone(self) -> bool:
        """Whether the transport is closing with nothing left to write, so that its descriptor is about to be free."""
        return self._transport.is_closing() and not self._transport.get_write_buffer_size()

    def is_closing(self) -> bool:
        return self.is_lingering or self._transport.is_closing()

    def close(self) -> None:
        if self.is_closing() or not self._is_client_sending():
            self._transport.close()
            if self._transport.get_write_buffer_size():
                asyncio.get_running_loop().call_later(self._reading_s, self._transport.abort)
            return
        self.is_lingering = True
        self._transport.write_eof()
        self._transport.resume_reading()
        asyncio.get_running_loop().call_later(self.linger_s, self._transport.abort)
