"""The HTTP client for a backend service: a method a request, one exception for a refusal, retries that are safe.

Everything here is safe to repeat: reads by nature, writes by their Idempotency-Key, which the client makes up where the
caller gives none. So a lost connection or a busy engine (429, 503) is tried again, and never acts twice.
"""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from http import HTTPStatus
from types import TracebackType
from typing import TYPE_CHECKING, Any, TypeAlias, cast
from urllib.parse import quote

from workflows.bearer import is_token
from workflows.client.order_json import EventJson, OrderJson, PlaceJson, ReplayJson
from workflows.clock import timestamp

if TYPE_CHECKING:
    import httpx

ATTEMPTS_MAX = 5
"""With the waits below an engine that restarts within a second or two goes unnoticed; who waits longer asks again."""

FIRST_WAIT_S, WAIT_MAX_S = 0.1, 2.0
"""Doubling, full jitter; a Retry-After counts instead when it is longer, up to ``RETRY_AFTER_MAX_S``."""

RETRY_AFTER_MAX_S = 10.0

Json: TypeAlias = dict[str, Any]

_OF_THE_GATEWAY = {401, 403, 429, 500, 502, 503, 504}
"""What API Gateway answers by itself, as ``{"message": ...}``, before or instead of a function."""

_AGAIN = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}


class Problem(Exception):
    """The engine refused, with a problem document (RFC 9457). ``errors`` are pairs of field and what to do about it."""

    def __init__(self, status: int, type_: str, title: str, detail: str, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.type = type_
        self.title = title
        self.detail = detail
        self.errors = errors

    @property
    def name(self) -> str:
        """The name of the broken rule, e.g. ``OrderAlreadyPickedUp``."""
        return self.type.rpartition(":")[2]


class EngineUnreachable(Exception):
    """No engine answered at the address, after several attempts. Retryable: yes, the same call with the same key."""


class TokenUnusable(ValueError):
    """The token is empty, or cannot stand in a header. Nothing was sent, and the token is not repeated here."""

    def __init__(self) -> None:
        super().__init__("the token is empty, or is no bearer token")


class ExpediterClient:
    """Use it as a context manager, or ``close`` it. Safe to share between threads.

    Every method raises Problem when the engine refuses, EngineUnreachable when there is none, and TokenUnusable when
    there is nothing to be let in with. ``key`` names a write across attempts: give your own where a retry may come from
    another process, e.g. after a crash.
    """

    def __init__(
        self,
        url: str,
        token: str | Callable[[], str],
        timeout_s: float = 30.0,
        *,
        http: httpx.Client | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """``token`` may be a function, asked before each request, for those that expire.

        ``http`` is a client to share; whoever made it closes it.
        """
        import httpx

        self._url = url.rstrip("/")
        self._token: Callable[[], str] = token if callable(token) else lambda: token
        self._timeout_s = timeout_s
        self._http = http or httpx.Client()
        self._owns_http = http is None
        self._sleep = sleep

    def __enter__(self) -> ExpediterClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        if self._owns_http:
            self._http.close()

    # --- orders --------------------------------------------------------------------------------------------------

    def place(self, order: PlaceJson, key: str) -> OrderJson:
        """Place an order, once a key."""
        return cast(OrderJson, self._answer("POST", "/orders", body=order, key=key))

    def get(self, order_id: str, *, version: int | None = None, at: datetime | None = None) -> OrderJson:
        """The order now, or as it was at a version or a time."""
        query = {} if version is None else {"version": str(version)}
        query |= {} if at is None else {"at": timestamp(at)}
        return cast(OrderJson, self._answer("GET", _order(order_id), query=query))

    def get_changed(self, order_id: str, version: int) -> OrderJson | None:
        """The order, or None if it is still at this version."""
        headers = {"If-None-Match": f'"{version}"'}
        return cast("OrderJson | None", self._answer("GET", _order(order_id), headers=headers))

    def history(self, order_id: str, page_size: int = 100) -> Iterator[EventJson]:
        """All events, oldest first, read page by page."""
        query = {"limit": str(page_size)}
        while True:
            page = self._answer("GET", _order(order_id, "history"), query=query)
            yield from page["events"]
            if page["next"] is None:
                return
            query["cursor"] = page["next"]

    def replay(self, order_id: str, at: int | datetime) -> ReplayJson:
        """The order at a version or a time, and what each event changed on the way there."""
        query = {"at": timestamp(at) if isinstance(at, datetime) else str(at)}
        return cast(ReplayJson, self._answer("GET", _order(order_id, "replay"), query=query))

    def cancel(self, order_id: str, reason: str, *, key: str | None = None, if_match: int | None = None) -> OrderJson:
        """Ask for the end of the order; with ``if_match`` only if it is still at that version."""
        return self.act(order_id, "cancel", {"reason": reason}, key=key, if_match=if_match)

    # --- preparation ---------------------------------------------------------------------------------------------

    def accept(
        self, order_id: str, ready_at: datetime, *, ticket: int | None = None, key: str | None = None
    ) -> OrderJson:
        """The restaurant cooks it. ``ticket`` is the one that is answered, by default the current one."""
        body = {"ready_at": timestamp(ready_at), **_given(ticket=ticket)}
        return self.act(order_id, "preparation/accept", body, key=key)

    def reject(self, order_id: str, reason: str, *, ticket: int | None = None, key: str | None = None) -> OrderJson:
        """The restaurant does not cook it."""
        return self.act(order_id, "preparation/reject", {"reason": reason, **_given(ticket=ticket)}, key=key)

    def item_unavailable(
        self, order_id: str, line: int, available: int, *, ticket: int | None = None, key: str | None = None
    ) -> OrderJson:
        """Of a line (numbered from 1) only ``available`` can be had."""
        body = {"line": line, "available": available, **_given(ticket=ticket)}
        return self.act(order_id, "preparation/item-unavailable", body, key=key)

    def ready(self, order_id: str, *, ticket: int | None = None, key: str | None = None) -> OrderJson:
        """The meal stands at the pass."""
        return self.act(order_id, "preparation/ready", _given(ticket=ticket), key=key)

    # --- delivery ------------------------------------------------------------------------------------------------

    def assign(
        self, order_id: str, courier_id: str | None = None, *, offer: int | None = None, key: str | None = None
    ) -> OrderJson:
        """A courier takes the offer: itself, or who support or a service names. ``offer`` as ``ticket`` above."""
        return self.act(order_id, "delivery/assign", _given(courier_id=courier_id, offer=offer), key=key)

    def decline(self, order_id: str, reason: str, *, offer: int | None = None, key: str | None = None) -> OrderJson:
        """Nobody takes the offer, or who took it gives it back."""
        return self.act(order_id, "delivery/decline", {"reason": reason, **_given(offer=offer)}, key=key)

    def pick_up(self, order_id: str, *, offer: int | None = None, key: str | None = None) -> OrderJson:
        """The meal left the restaurant."""
        return self.act(order_id, "delivery/pick-up", _given(offer=offer), key=key)

    def deliver(self, order_id: str, *, offer: int | None = None, key: str | None = None) -> OrderJson:
        """The customer has the meal."""
        return self.act(order_id, "delivery/deliver", _given(offer=offer), key=key)

    def fail(
        self, order_id: str, reason: str, fault: str, *, offer: int | None = None, key: str | None = None
    ) -> OrderJson:
        """The customer will not get the meal. ``fault`` is customer, restaurant, courier or platform."""
        return self.act(order_id, "delivery/fail", {"reason": reason, "fault": fault, **_given(offer=offer)}, key=key)

    # --- incidents and circuits: for support; auditors read ----------------------------------------------------------

    def incidents(self, cause: str | None = None, limit: int = 100) -> Json:
        """Parked orders by cause, and those parked longest."""
        return cast(Json, self._answer("GET", "/incidents", query={"limit": str(limit), **_given(cause=cause)}))

    def incident(self, order_id: str) -> Json:
        """One incident: what is owed, what led there, and what each verb would do."""
        return cast(Json, self._answer("GET", _incident(order_id)))

    def retry(self, order_id: str, reason: str, *, dry_run: bool = False, key: str | None = None) -> Json:
        """Go on from the facts in a new run."""
        return self._deed(order_id, "retry", {"reason": reason, "dry_run": dry_run}, key)

    def resolve(
        self,
        order_id: str,
        how: str,
        reason: str,
        *,
        fault: str | None = None,
        intent: int | None = None,
        dry_run: bool = False,
        key: str | None = None,
    ) -> Json:
        """``how``: cancel gives back, abandon does not, write_off stops pursuing what one ``intent`` holds or owes."""
        body = {"how": how, "reason": reason, "dry_run": dry_run, **_given(fault=fault, intent=intent)}
        return self._deed(order_id, "resolve", body, key)

    def approve(self, order_id: str, approval: int, *, dry_run: bool = False, key: str | None = None) -> Json:
        """Agree, as a second person, to the wish of that version."""
        return self._deed(order_id, "approve", {"approval": approval, "dry_run": dry_run}, key)

    def note(self, order_id: str, text: str, *, key: str | None = None) -> Json:
        """Leave a note in the order's history."""
        return self._deed(order_id, "note", {"text": text}, key)

    def begin_bulk_retry(
        self, cause: str, reason: str, *, per_s: float = 1.0, dry_run: bool = False, key: str | None = None
    ) -> Json:
        """Retry all incidents with this cause, at a pace. It goes on by itself."""
        body = {"cause": cause, "reason": reason, "per_s": per_s, "dry_run": dry_run}
        return cast(Json, self._answer("POST", "/retries", body=body, key=key or str(uuid.uuid4())))

    def bulk_retry(self, retry_id: str, action: str | None = None) -> Json:
        """A bulk retry and what came of each order; ``action`` is advance, stop or resume."""
        path = f"/retries/{quote(retry_id, safe='')}"
        return cast(Json, self._answer("POST", f"{path}/{action}") if action else self._answer("GET", path))

    def circuits(self) -> Json:
        """The circuits of what orders depend on."""
        return cast(Json, self._answer("GET", "/circuits"))

    def circuit(self, dependency: str, action: str | None = None, reason: str = "") -> Json:
        """A circuit and its transitions; ``action`` is open or close, by hand."""
        path = f"/circuits/{quote(dependency, safe='')}"
        if action is None:
            return cast(Json, self._answer("GET", path))
        return cast(Json, self._answer("POST", f"{path}/{action}", body={"reason": reason}))

    def _deed(self, order_id: str, action: str, body: Mapping[str, Any], key: str | None) -> Json:
        path = f"{_incident(order_id)}/{action}"
        return cast(Json, self._answer("POST", path, body=body, key=key or str(uuid.uuid4())))

    # --- any write -----------------------------------------------------------------------------------------------

    def act(
        self,
        order_id: str,
        action: str,
        body: Mapping[str, Any],
        *,
        key: str | None = None,
        if_match: int | None = None,
    ) -> OrderJson:
        """Any write to an order: ``action`` is the rest of its path, e.g. ``preparation/ready``."""
        headers = {} if if_match is None else {"If-Match": f'"{if_match}"'}
        path = _order(order_id, action)
        return cast(OrderJson, self._answer("POST", path, body=body, key=key or str(uuid.uuid4()), headers=headers))

    # --- the wire ------------------------------------------------------------------------------------------------

    def _answer(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        sent = {
            "Authorization": f"Bearer {self._sendable_token()}",
            **({"Idempotency-Key": key} if key else {}),
            **(headers or {}),
        }
        request = self._request(method, path, body, query, sent)
        for attempt in range(1, ATTEMPTS_MAX + 1):
            answer = self._attempt(request, last=attempt == ATTEMPTS_MAX)
            if answer is not None and (answer.status_code not in _AGAIN or attempt == ATTEMPTS_MAX):
                return self._read(answer)
            self._sleep(
                max(random.uniform(0, min(WAIT_MAX_S, FIRST_WAIT_S * 2 ** (attempt - 1))), _retry_after(answer))
            )
        raise AssertionError("the last attempt returns or raises")

    def _sendable_token(self) -> str:
        token = self._token().strip()
        if not is_token(token):
            raise TokenUnusable
        return token

    def _request(
        self, method: str, path: str, body: Any, query: Mapping[str, str] | None, headers: Mapping[str, str]
    ) -> httpx.Request:
        import httpx

        try:
            return self._http.build_request(
                method, self._url + path, json=body, params=query or None, headers=headers, timeout=self._timeout_s
            )
        except httpx.InvalidURL as error:
            raise EngineUnreachable(f"{self._url} is not the address of an engine: {error}") from error

    def _attempt(self, request: httpx.Request, *, last: bool) -> httpx.Response | None:
        """The answer; None when the connection failed and there is another attempt."""
        import httpx

        try:
            return self._http.send(request)
        except httpx.UnsupportedProtocol as error:
            raise EngineUnreachable(f"{self._url} is not the address of an engine: {error}") from error
        except httpx.TransportError as error:
            if last:
                raise EngineUnreachable(f"no engine answers at {self._url}: {error or type(error).__name__}") from error
            return None

    def _read(self, answer: httpx.Response) -> Any:
        if answer.status_code == HTTPStatus.NOT_MODIFIED:
            return None
        try:
            body = answer.json()
        except ValueError:
            body = None
        if isinstance(body, dict) and answer.is_success:
            return body
        if isinstance(body, dict) and answer.is_error and "detail" in body:
            raise _problem(answer.status_code, body)
        if isinstance(body, dict) and "message" in body and answer.status_code in _OF_THE_GATEWAY:
            title = str(body["message"])
            raise Problem(answer.status_code, "about:blank", title, f"{title}, says the gateway of the API", ())
        raise EngineUnreachable(f"{self._url} answers, but not as Expediter does (HTTP {answer.status_code})")


def _problem(status: int, body: Mapping[str, Any]) -> Problem:
    errors = tuple((str(error["field"]), str(error["problem"])) for error in body.get("errors", ()))
    title, detail = str(body.get("title", "")), str(body["detail"])
    return Problem(status, str(body.get("type", "about:blank")), title, detail, errors)


def _retry_after(answer: httpx.Response | None) -> float:
    said = "" if answer is None else answer.headers.get("retry-after", "")
    return min(float(said), RETRY_AFTER_MAX_S) if said.isdecimal() else 0.0


def _order(order_id: str, rest: str = "") -> str:
    return f"/orders/{quote(order_id, safe='')}" + (f"/{rest}" if rest else "")


def _incident(order_id: str) -> str:
    return f"/incidents/{quote(order_id, safe='')}"


def _given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not None}
