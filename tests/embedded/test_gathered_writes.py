"""The frames of a socket leave together, whole and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from workflows.embedded.http.gathered_writes import GATHERED_BYTES_MAX, GatheredWrites


class Transport:
    """A transport that notes what reaches it."""

    def __init__(self) -> None:
        self.calls: list[bytes | str] = []

    def write(self, data: bytes) -> None:
        self.calls.append(data)

    def close(self) -> None:
        self.calls.append("close")


def written(write: Callable[[GatheredWrites], Any]) -> list[bytes | str]:
    """Return what reached the transport in the turn after ``write`` and in ``write`` itself."""
    transport: Any = Transport()

    async def serve() -> None:
        write(GatheredWrites(transport, asyncio.get_running_loop()))
        await asyncio.sleep(0)

    asyncio.run(serve())
    return list(transport.calls)


def test_what_is_written_in_one_turn_is_one_call_of_the_system():
    """A commit of each of ten orders is ten messages to a subscriber, and not ten wakings of its process."""
    assert written(lambda gathered: [gathered.write(b"%d" % number) for number in range(10)]) == [b"0123456789"]


def test_a_close_comes_after_what_was_written_before():
    """The frame that says why a socket is closed is written right before the close."""
    assert written(lambda gathered: (gathered.write(b"why"), gathered.close())) == [b"why", "close"]


@pytest.mark.parametrize("parts", [1, 4])
def test_much_is_passed_on_at_once(parts):
    """The transport counts what its client has not read, so it must not learn of a megabyte at the end of the turn."""
    part = b"x" * (GATHERED_BYTES_MAX // parts)

    def write(gathered: GatheredWrites) -> None:
        for _ in range(parts):
            gathered.write(part)
        assert gathered._transport.calls == [part * parts]  # type: ignore[attr-defined]  # it is ours

    assert written(write) == [part * parts]
