"""Reads that wait for a change: GET /orders/{id}?wait_s=... with If-None-Match."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from typing import Any

import httpx

from tests.live.conftest import DEADLINE_S


def read(engine, order_id: str, version: int | None, wait_s: Any, name: str = "cus_1") -> httpx.Response:
    """Read an order of a customer, waiting for another version than this."""
    headers = {"Authorization": f"Bearer {engine.token('customer', name)}"}
    if version is not None:
        headers["If-None-Match"] = f'"{version}"'
    return engine.http.get(f"{engine.url}/orders/{order_id}", params={"wait_s": wait_s}, headers=headers)


def resting_version(engine, order_id: str) -> int:
    """Return the version at which the order waits for its restaurant."""
    socket = engine.socket("support", "anna")
    socket.send(subscribe=f"order/{order_id}", since=0)
    found = socket.until(lambda message: (message.get("order") or {}).get("preparation"))[-1]["version"]
    return int(found)


def polls(engine) -> str:
    return next(line for line in engine.metrics().splitlines() if line.startswith("expediter_live_polls "))


def waiting(engine, count: int) -> None:
    """Return once so many reads wait."""
    while polls(engine) != f"expediter_live_polls {count:.1f}":
        pass


def test_a_read_that_waits_is_answered_when_the_order_changes(engine):
    """A client without sockets sees a change at once, and asks again with its version."""
    order_id = engine.place()
    version = resting_version(engine, order_id)
    with ThreadPoolExecutor(1) as thread:
        waits: Future[httpx.Response] = thread.submit(read, engine, order_id, version, 25)
        waiting(engine, 1)
        engine.client("customer", "cus_1").cancel(order_id, "changed my mind")
        answer = waits.result(DEADLINE_S)
    assert answer.status_code == HTTPStatus.OK
    assert answer.json()["version"] > version
    assert polls(engine) == "expediter_live_polls 0.0"


def test_a_read_that_waits_ends_unchanged_and_at_once_if_its_caller_has_an_old_version(engine):
    """After wait_s the answer is the one of a read that does not wait."""
    order_id = engine.place()
    version = resting_version(engine, order_id)
    assert read(engine, order_id, version, 1).status_code == HTTPStatus.NOT_MODIFIED
    assert read(engine, order_id, version - 1, 25).json()["version"] == version


def test_reads_that_wait_hold_no_place_and_end_when_the_engine_stops(engine):
    """Sixteen of one caller wait, the next is answered at once, and other requests are served. A stop takes no 25 s."""
    order_id = engine.place()
    version = resting_version(engine, order_id)
    with ThreadPoolExecutor(16) as threads:
        waits = [threads.submit(read, engine, order_id, version, 25) for _ in range(16)]
        waiting(engine, 16)
        assert read(engine, order_id, version, 25).status_code == HTTPStatus.NOT_MODIFIED
        assert engine.client("customer", "cus_1").get(order_id)["version"] == version
        engine.stop()
        assert {wait.result(5).status_code for wait in waits} == {HTTPStatus.NOT_MODIFIED}


def test_waiting_needs_a_version_and_a_bound(engine):
    """A read without If-None-Match has nothing to wait for."""
    order_id = engine.place()
    for version, wait_s in ((None, 5), (1, 26), (1, -1), (1, "soon")):
        answer = read(engine, order_id, version, wait_s)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert answer.json()["errors"][0]["field"] == "wait_s"
    assert read(engine, order_id, 1, 5, name="cus_2").status_code == HTTPStatus.NOT_FOUND
