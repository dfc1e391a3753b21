"""How a command reaches an engine: its address, a token to be let in with, and what it says when it is refused."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from workflows.cli.failures import Failure, NotLetIn, Refused, Unreachable, Unusable
from workflows.cli.folder import address_of
from workflows.cli.inputs import existing_folder

if TYPE_CHECKING:
    import httpx

View: TypeAlias = dict[str, Any]

DEFAULT_URL = "http://127.0.0.1:8080"

_ANSWER_WITHIN_S = 30  # the engine's own limit


def minted(data: Path, role: str, subject: str, ttl_s: int) -> str:
    """A token of the engine whose folder this is. Raises Unusable."""
    from domain.identifiers import InvalidIdentifier, parse_name
    from workflows.embedded.tokens import AccessTokens, RoleUnknown

    if not (existing_folder(data) / "tokens.key").is_file():
        raise Unusable(f"{data} is not the folder of an engine; expediter up --data {data} makes it one")
    try:
        return AccessTokens.of(data).mint(role, parse_name(subject, role), ttl_s)
    except (RoleUnknown, InvalidIdentifier) as error:
        raise Unusable(str(error)) from None


class Session:
    """One caller's conversation with an engine. Every method raises Failure, with a sentence for a person."""

    def __init__(self, url: str, token: str, client: httpx.Client | None = None) -> None:
        """``client`` is shared by many sessions, and closed by whoever made it."""
        import httpx

        self._url = url.rstrip("/")
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client = client or httpx.Client(timeout=_ANSWER_WITHIN_S)

    def place(self, body: Mapping[str, Any], key: str) -> View:
        """Place an order, once a key."""
        return self._sent("POST", "/orders", body=body, headers={"Idempotency-Key": key}).json()  # type: ignore[no-any-return]  # an object

    def get(self, order_id: str) -> View:
        """The order now."""
        return self._sent("GET", f"/orders/{order_id}").json()  # type: ignore[no-any-return]  # an object

    def get_changed(self, order_id: str, version: int) -> View | None:
        """The order, if it is past that version."""
        answer = self._sent("GET", f"/orders/{order_id}", headers={"If-None-Match": f'"{version}"'})
        return None if answer.status_code == 304 else answer.json()

    def history(self, order_id: str) -> list[View]:
        """All events, oldest first."""
        events: list[View] = []
        query = {"limit": "100"}
        while True:
            page = self._sent("GET", f"/orders/{order_id}/history", query=query).json()
            events += page["events"]
            if page["next"] is None:
                return events
            query["cursor"] = page["next"]

    def replay(self, order_id: str, at: str) -> View:
        """The order at a version or a time, and the steps there."""
        return self._sent("GET", f"/orders/{order_id}/replay", query={"at": at}).json()  # type: ignore[no-any-return]  # an object

    def act(self, order_id: str, action: str, body: Mapping[str, Any]) -> View:
        """``action`` is the rest of the path, e.g. ``cancel`` or ``preparation/accept``."""
        return self._sent("POST", f"/orders/{order_id}/{action}", body=body).json()  # type: ignore[no-any-return]  # an object

    def close(self) -> None:
        self._client.close()

    def _sent(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        import httpx

        try:
            answer = self._client.request(
                method, self._url + path, json=body, params=query, headers={**self._headers, **(headers or {})}
            )
        except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
            raise Unusable(f"{self._url} is not the address of an engine: {error}") from None
        except httpx.TransportError as error:
            hint = "start one with expediter up --data DIR, or name it with --url"
            raise Unreachable(f"no engine answers at {self._url} ({error}); {hint}") from None
        if answer.status_code >= 400:
            raise _failure(answer, self._url)
        return answer


def _failure(answer: httpx.Response, url: str) -> Failure:
    try:
        problem = answer.json()
        name, detail = problem["type"].rpartition(":")[2], problem["detail"]
    except (ValueError, LookupError, TypeError, AttributeError):
        return Unreachable(f"{url} answers, but not as Expediter does (HTTP {answer.status_code}); check the address")
    if answer.status_code == 401:
        return NotLetIn(f"{detail.rstrip('.')}; expediter token prints a new one")
    if answer.status_code >= 500:
        return Unreachable(f"the engine could not serve it (HTTP {answer.status_code}): {detail}")
    return Refused(detail, name)


@contextmanager
def session(url: str | None, data: Path | None, as_: str | None) -> Iterator[Session]:
    """A session with the engine at ``--url``, or of ``--data``, or on the default port. Raises Failure."""
    address = url or (address_of(data) if data else None) or DEFAULT_URL
    opened = Session(address, _token(data, as_))
    try:
        yield opened
    finally:
        opened.close()


def _token(data: Path | None, as_: str | None) -> str:
    given = os.environ.get("EXPEDITER_TOKEN")
    if data is None and given:
        return given
    if data is None:
        raise NotLetIn("no token: set EXPEDITER_TOKEN (expediter token prints one), or name the folder with --data DIR")
    role, colon, subject = (as_ or f"support:{_login()}").partition(":")
    if not colon:
        raise Unusable(f"--as {as_!r} is not ROLE:ID, e.g. customer:cus_1")
    return minted(data, role, subject, _TOKEN_S)


_TOKEN_S = 300  # a command is over long before


def _login() -> str:
    """Who sits here, as an id: it stands in the history of what they do."""
    import getpass
    import re

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # no such user in this container
        name = "unknown"
    return re.sub(r"[^A-Za-z0-9_.-]", "-", name).lstrip("_.-")[:64] or "unknown"
