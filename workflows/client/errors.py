"""Errors that a request to the API can end with."""

from __future__ import annotations

from typing import Any


class ApiProblem(Exception):
    """The engine refused the request with a problem document (RFC 9457). Repeating it gives the same answer.

    Attributes:
        status: The HTTP status.
        type: The problem's URI, which ends in the name of the refusal.
        errors: Pairs of a field and what to do about it.
    """

    def __init__(self, status: int, type_: str, title: str, detail: str, errors: tuple[tuple[str, str], ...]) -> None:
        super().__init__(f"{status} {title}: {detail}")
        self.status = status
        self.type = type_
        self.title = title
        self.detail = detail
        self.errors = errors

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.status, self.type, self.title, self.detail, self.errors)

    @property
    def name(self) -> str:
        """The name of the refusal, e.g. ``OrderAlreadyPickedUp``."""
        return self.type.rpartition(":")[2]


class EngineUnreachable(Exception):
    """No engine answered at the address. Retryable: repeat the same call with the same key."""


class InvalidBearerToken(ValueError):
    """The token is empty or not a bearer token. Nothing was sent, and this error does not contain the token."""

    def __init__(self) -> None:
        super().__init__("the token is empty or not a bearer token")

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), ()
