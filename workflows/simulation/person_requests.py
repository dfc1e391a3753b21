"""The requests of simulated people, through the handlers of the HTTP API. A body may come late, or not at all."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from workflows.embedded.http import payload_format
from workflows.embedded.http.limits import LIMITS
from workflows.simulation.faults import InjectedFault
from workflows.simulation.world import World


class PersonRequests:
    """Sends the requests of the people of one order, and repeats each until it is answered."""

    def __init__(self, world: World, number: int, customer: str) -> None:
        """``number`` is that of the order in its world, ``customer`` the subject of the customer's token."""
        self._world = world
        self._number = number
        self._customer = customer

    def send(self, method: str, path: str, who: str, body: Mapping[str, Any], *, key: str) -> Any:
        """Repeat a request until it gets an answer below 500. None if the answer is a refusal."""
        if self._world.faults.strikes((InjectedFault.BODY_STALLED,), f"order {self._number}"):
            self._world.scheduler.spawn(lambda: self._send_stalled(method, path, who, body, key))
            self._world.pause(5)
        while True:
            answer = self._request(method, path, who, body, key)
            if answer is not None and answer.status < 500:
                return json.loads(answer.body) if answer.status < 300 else None
            self._world.pause(5)

    def _send_stalled(self, method: str, path: str, who: str, body: Mapping[str, Any], key: str) -> None:
        """Send a request whose body comes late, beside its repetition, or too late: then the server has hung up."""
        late_s = self._world.random.uniform(0, 2 * LIMITS.body_s)
        if late_s < LIMITS.body_s:
            self._world.scheduler.pause(late_s)
            self._request(method, path, who, body, key)

    def _request(
        self, method: str, path: str, who: str, body: Mapping[str, Any], key: str
    ) -> payload_format.HttpResponse | None:
        target, named = self._world.routes.find(method, path)
        trace = sha256(f"{method} {path} {key}".encode()).hexdigest()
        request = payload_format.HttpRequest(
            method=method,
            path=path,
            query="",
            headers=(
                ("idempotency-key", key),
                ("content-type", "application/json"),
                ("x-amzn-trace-id", f"Root=1-{trace[:8]}-{trace[8:32]}"),  # API Gateway adds it
            ),
            body=json.dumps(body).encode(),
            protocol="HTTP/1.1",
            source_ip="127.0.0.1",
            request_id=key,
            at=self._world.scheduler.now(),
        )
        role = "courier" if who.startswith("courier") else who
        claims = {"sub": {"customer": self._customer, "restaurant": "rst_1"}.get(who, who), "cognito:groups": [role]}
        answers: list[payload_format.HttpResponse | None] = []
        event = payload_format.event(request, target.route, named, claims)
        self._world.invoke(
            target.function,
            event,
            lambda result, failure: answers.append(None if failure else payload_format.response(result)),
        )
        while not answers:
            self._world.pause(0.2)
        return answers[0]
