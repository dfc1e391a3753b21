"""Latency of the HTTP API: reading an order and placing one, on a kept connection and on a new one for each request.

The engine runs in a process of its own. One client sends one request at a time; the four kinds of requests take turns,
so that all of them meet the same load. The steps of the orders that were just placed run beside the requests.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from http.client import HTTPConnection
from itertools import count
from pathlib import Path
from statistics import quantiles
from typing import Any

from benchmarks.driver import CALLERS, ORDER
from benchmarks.options import options
from benchmarks.peers.process import process
from benchmarks.results import Beside, Row, at_most, publish
from workflows.embedded.http.tokens import AccessTokens

ROUND = {"read": 20, "place": 4}
"""Requests of one kind before the next kind follows."""

KEPT, NEW = "kept connection", "new connection"


class Caller:
    """Sends requests to one engine. ``took_ms`` are the latencies by method and connection."""

    def __init__(self, port: int, tokens: AccessTokens) -> None:
        self._port = port
        self._tokens = {role: tokens.mint(role, subject) for role, subject in CALLERS.items()}
        self._kept = HTTPConnection("127.0.0.1", port, timeout=60)
        self._keys = count()
        self.took_ms: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
        self.order_id = self.place(KEPT)

    def place(self, connection: str) -> str:
        answer = self._send("POST", "/orders", "service", connection, key=f"latency-{next(self._keys)}")
        return str(answer["id"])

    def read(self, connection: str) -> None:
        self._send("GET", f"/orders/{self.order_id}", "customer", connection)

    def _send(self, method: str, path: str, role: str, kind: str, key: str | None = None) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self._tokens[role]}"}
        if key is not None:
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        began = time.perf_counter()
        connection = self._kept if kind == KEPT else HTTPConnection("127.0.0.1", self._port, timeout=60)
        connection.request(method, path, None if key is None else _PLACED, headers)
        response = connection.getresponse()
        text = response.read()
        self.took_ms[method, kind].append((time.perf_counter() - began) * 1000)
        if kind == NEW:
            connection.close()
        if response.status >= 300:
            raise RuntimeError(f"{response.status} {path}: {text.decode()}")
        answer: dict[str, Any] = json.loads(text)
        return answer


_PLACED = json.dumps(ORDER | {"payment_method": "pm_ok"})


def main() -> None:
    chosen = options(__doc__)
    with (
        tempfile.TemporaryDirectory(prefix="benchmark-") as folder,
        process(sys.executable, "benchmarks.engine_process", folder) as engine,
    ):
        caller = Caller(engine.ask(do="serve")["port"], AccessTokens.of(Path(folder)))
        requests: dict[str, Callable[[str], object]] = {"read": caller.read, "place": caller.place}
        for round_ in range(chosen.size(100, 8) + 1):
            for name, request in requests.items():
                for connection in (KEPT, NEW):
                    for _ in range(ROUND[name]):
                        request(connection)
            if not round_:
                caller.took_ms.clear()  # the first requests import the functions and build their models
    publish("latency", _rows(caller.took_ms), quick=chosen.quick, as_json=chosen.json)


def _rows(took_ms: dict[tuple[str, str], list[float]]) -> list[Row]:
    rows = []
    for method, title in (("GET", "GET /orders/{id}"), ("POST", "POST /orders")):
        cuts = {kept: quantiles(took_ms[method, kept], n=100) for kept in (KEPT, NEW)}
        for kept, cut in cuts.items():
            target = at_most(5, of="value") if (method, kept) == ("GET", KEPT) else None
            beside = Beside(KEPT, cuts[KEPT][49]) if kept == NEW else None
            rows.append(Row(name=f"{title}, {kept}, p50", value=cut[49], unit="ms", peer=beside, target=target))
            rows.append(Row(name=f"{title}, {kept}, p99", value=cut[98], unit="ms", peer=Beside("p50", cut[49])))
    return rows


if __name__ == "__main__":
    main()
