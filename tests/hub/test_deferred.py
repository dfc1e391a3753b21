"""A Deferred: resolved once, from any thread, and nothing that waits for it is forgotten."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from workflows.hub.deferred import Deferred


def test_a_result_reaches_every_thread_that_waits_and_every_callback():
    """Waiting threads and callbacks get the same result, whether they came before it or after it."""
    deferred: Deferred[int] = Deferred()
    seen: list[int] = []
    with ThreadPoolExecutor(8) as threads:
        waiting = [threads.submit(deferred.result, 10) for _ in range(8)]
        deferred.add_done_callback(lambda done: seen.append(done.result()))
        deferred.set_result(7)
        assert [future.result(10) for future in waiting] == [7] * 8
    deferred.add_done_callback(lambda done: seen.append(done.result()))
    assert seen == [7, 7]
    assert deferred.done()


def test_callbacks_added_while_it_is_resolved_are_called_once():
    """A callback is neither lost nor called twice, however the threads meet."""
    for _ in range(200):
        deferred: Deferred[None] = Deferred()
        called: list[int] = []
        together = threading.Barrier(3)

        def add(number: int, deferred: Deferred[None] = deferred, called: list[int] = called) -> None:
            together.wait(10)  # noqa: B023  # the threads end within the iteration
            deferred.add_done_callback(lambda _: called.append(number))

        def resolve(deferred: Deferred[None] = deferred) -> None:
            together.wait(10)  # noqa: B023  # likewise
            deferred.set_result(None)

        threads = [threading.Thread(target=add, args=(number,)) for number in range(2)]
        threads.append(threading.Thread(target=resolve))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
        assert sorted(called) == [0, 1]


def test_an_exception_is_raised_by_result_and_returned_by_exception():
    """A caller sees the error of the call."""
    deferred: Deferred[int] = Deferred()
    error = ValueError("wrong")
    deferred.set_exception(error)
    assert deferred.exception() is error
    with pytest.raises(ValueError, match="wrong"):
        deferred.result()


def test_it_is_resolved_once():
    """A second result is a fault of the program and changes nothing."""
    deferred: Deferred[int] = Deferred()
    deferred.set_result(1)
    with pytest.raises(RuntimeError):
        deferred.set_result(2)
    with pytest.raises(RuntimeError):
        deferred.set_exception(ValueError())
    assert deferred.result() == 1


def test_only_a_call_that_has_not_begun_can_be_cancelled():
    """A cancelled call does not begin, and one that has begun is not cancelled."""
    waiting: Deferred[int] = Deferred()
    told: list[bool] = []
    waiting.add_done_callback(lambda done: told.append(done.cancelled()))
    assert waiting.cancel()
    assert waiting.cancel()
    assert not waiting.set_running_or_notify_cancel()
    assert told == [True]
    with pytest.raises(RuntimeError):
        waiting.result()
    running: Deferred[int] = Deferred()
    assert running.set_running_or_notify_cancel()
    assert not running.cancel()


def test_a_failing_callback_keeps_no_other_from_being_called():
    """An error of one listener reaches the log, and the others and waiting threads go on."""
    deferred: Deferred[int] = Deferred()
    called: list[int] = []

    def fail(_: Deferred[int]) -> None:
        raise ValueError("a listener failed")

    deferred.add_done_callback(fail)
    deferred.add_done_callback(lambda done: called.append(done.result()))
    deferred.set_result(3)
    assert called == [3]


def test_waiting_ends_after_the_timeout():
    """A thread does not wait longer than it said."""
    with pytest.raises(TimeoutError):
        Deferred[int]().result(0.001)
