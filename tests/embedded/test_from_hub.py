"""Results of function calls come from the hub's thread to the server's loop, each to its own request."""

from __future__ import annotations

import asyncio
from threading import Thread
from typing import Any

import pytest

from workflows.embedded.http.from_hub import FromHub
from workflows.hub.deferred import Deferred


def test_calls_that_end_together_wake_the_loop_once() -> None:
    """Waking is a system call and a switch of threads; every request still gets its own result."""
    wakings = []

    async def serve() -> list[int]:
        loop, results = asyncio.get_running_loop(), FromHub()
        wake = loop.call_soon_threadsafe
        loop.call_soon_threadsafe = lambda *call: (wakings.append(call), wake(*call))[1]  # type: ignore[method-assign,assignment,arg-type]  # counts
        calls = [Deferred[int]() for _ in range(100)]
        answers = [results.expect(call) for call in calls]
        hub = Thread(target=lambda: [call.set_result(number) for number, call in enumerate(calls)])
        hub.start()
        hub.join()  # the loop cannot look meanwhile, so all calls have ended when it does
        assert len(wakings) == 1
        got = await asyncio.wait_for(asyncio.gather(*answers), 10)
        late: Deferred[int] = Deferred()
        answer = results.expect(late)
        late.set_result(100)
        assert len(wakings) == 2  # one that ends later wakes it again
        return [*got, await asyncio.wait_for(answer, 10)]

    assert asyncio.run(serve()) == list(range(101))


def test_a_failure_reaches_its_request_and_a_request_that_is_given_up_cancels_its_call() -> None:
    """An error is raised in the request; a call that has not begun is not made any more."""

    async def serve() -> Any:
        results = FromHub()
        failing, given_up = Deferred[int](), Deferred[int]()
        answer, abandoned = results.expect(failing), results.expect(given_up)
        abandoned.cancel()
        failing.set_exception(LookupError("no such order"))
        with pytest.raises(LookupError):
            await asyncio.wait_for(answer, 10)
        return given_up

    assert asyncio.run(serve()).cancelled()
