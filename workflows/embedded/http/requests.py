"""Reads request bodies of bounded size, for every server in this process."""

from __future__ import annotations

from starlette.requests import Request

from domain.picklable import Picklable


class BodyTooLarge(Picklable, Exception):
    """A request's body has, or announces, more than ``bytes_max`` bytes."""

    def __init__(self, bytes_max: int) -> None:
        super().__init__(f"A body may have {bytes_max} bytes.")
        self.bytes_max = bytes_max


async def read_body(request: Request, bytes_max: int) -> bytes:
    """Return the whole body.

    Raises:
        BodyTooLarge: Of a body whose length is announced, nothing is read.
        ClientDisconnect: The caller left before the end of its body.
    """
    if int(request.headers.get("content-length", "0")) > bytes_max:
        raise BodyTooLarge(bytes_max)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > bytes_max:
            raise BodyTooLarge(bytes_max)
    return bytes(body)
