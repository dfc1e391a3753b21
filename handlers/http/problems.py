"""Every answer that is not 2xx: a problem document (RFC 9457), by one table.

``type`` is ``urn:expediter:problem:`` and the class name of the refusal, which is part of the interface: clients and
state machines match on it. A validation problem names each field in ``errors``, and says what to do about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response

from domain.identifiers import InvalidIdentifier
from domain.money import CurrencyMismatch
from domain.order.refusals import (
    CancellationNotAllowed,
    InvalidOrder,
    NoSuchApproval,
    OrderNotFound,
    Rejected,
    SecondPersonNeeded,
    UnknownLine,
)
from workflows.event_store.commits import KeyReused, UnknownEvent
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.event_log import CommitTooLarge, NoSuchVersion, StreamUnavailable, TooManyConflicts
from workflows.event_store.keyring import KeyRingUnavailable
from workflows.incidents.refusals import NoSuchJob, WriteOffNeedsIntent
from workflows.orders.command_handling import PreconditionFailed
from workflows.orders.permissions import NotAllowed
from workflows.orders.requests import ImplausibleTime
from workflows.orders.time_travel import NotPlacedYet

CONTENT_TYPE = "application/problem+json"
URN = "urn:expediter:problem:"
RETRY_AFTER_S = 1
"""A conflict or a failed read of the store is usually over by then."""


class RequestRefused(Exception):
    """The request itself cannot be served. ``errors`` are (field, what is wrong and how to mend it)."""

    def __init__(
        self,
        name: str,
        status: HTTPStatus,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.status = status
        self.errors = errors
        self.headers = headers or {}


STATUS: Mapping[type[Exception], HTTPStatus] = {
    Rejected: HTTPStatus.CONFLICT,  # a broken rule, unless it is listed here
    OrderNotFound: HTTPStatus.NOT_FOUND,
    NotPlacedYet: HTTPStatus.NOT_FOUND,
    NoSuchVersion: HTTPStatus.NOT_FOUND,
    NoSuchApproval: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
    NotAllowed: HTTPStatus.FORBIDDEN,
    CancellationNotAllowed: HTTPStatus.FORBIDDEN,
    SecondPersonNeeded: HTTPStatus.FORBIDDEN,
    InvalidOrder: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownLine: HTTPStatus.UNPROCESSABLE_ENTITY,
    WriteOffNeedsIntent: HTTPStatus.UNPROCESSABLE_ENTITY,
    ImplausibleTime: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidIdentifier: HTTPStatus.UNPROCESSABLE_ENTITY,
    CurrencyMismatch: HTTPStatus.UNPROCESSABLE_ENTITY,
    KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    PreconditionFailed: HTTPStatus.PRECONDITION_FAILED,
    CommitTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    TooManyConflicts: HTTPStatus.SERVICE_UNAVAILABLE,
    StreamUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    DocumentsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    KeyRingUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    UnknownEvent: HTTPStatus.SERVICE_UNAVAILABLE,  # newer code wrote it: over when this code is upgraded
}
"""A class that is not listed has the status of the next class it derives from. What is in neither is a bug of ours."""


def answer(error: Exception, instance: str) -> Response[str]:
    """The problem document of a refusal. ``instance`` is the path it was about."""
    if isinstance(error, RequestRefused):
        return document(error.name, error.status, str(error), instance, error.errors, headers=error.headers)
    status = next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return document(type(error).__name__, status, _detail(error), instance, _errors(error), headers=headers)


def document(
    name: str,
    status: HTTPStatus,
    detail: str,
    instance: str,
    errors: Sequence[tuple[str, str]] = (),
    *,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """A problem document as a response."""
    body: dict[str, Any] = {
        "type": URN + name,
        "title": title(name),
        "status": status.value,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        body["errors"] = [{"field": field, "problem": problem} for field, problem in errors]
    text = json.dumps(body)  # ASCII: what a caller sent may hold what UTF-8 cannot say
    return Response(status.value, CONTENT_TYPE, text, headers={"Cache-Control": "no-store", **(headers or {})})


def title(name: str) -> str:
    """``OrderAlreadyPickedUp`` -> ``Order already picked up``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _detail(error: Exception) -> str:
    if isinstance(error, NoSuchVersion):
        return f"the order has no version {error.asked}; it is at version {error.version}"
    if isinstance(error, KeyReused):
        return "this Idempotency-Key was used on this order with another body; a new wish needs a new key"
    if isinstance(error, StreamUnavailable | DocumentsUnavailable | KeyRingUnavailable):
        return "the order could not be read or written this time; send the same request again"
    return str(error)


def _errors(error: Exception) -> Sequence[tuple[str, str]]:
    if isinstance(error, InvalidOrder | ImplausibleTime):
        return ((error.field, error.problem),)
    if isinstance(error, WriteOffNeedsIntent):
        return (("intent", str(error)),)
    if isinstance(error, UnknownLine):
        return (("line", str(error)),)
    if isinstance(error, KeyReused):
        return (("Idempotency-Key", "was used before with another body; use a new key"),)
    if isinstance(error, PreconditionFailed):
        return (("If-Match", str(error)),)
    return ()
