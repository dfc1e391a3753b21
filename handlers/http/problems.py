"""Problem documents (RFC 9457): the response to every request that is refused, made from one table.

``type`` is ``urn:expediter:problem:`` and the class name of the refusal, which is part of the interface: clients and
state machines match on it. ``errors`` names each field concerned and what to do about it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from domain.catalogue.refusals import (
    BelowMinimum,
    ChoiceMissing,
    InvalidMenu,
    InvalidRestaurant,
    RestaurantNotFound,
    TooManyChoices,
    UnknownItem,
)
from domain.identifiers import InvalidIdentifier
from domain.money import CurrencyMismatch
from domain.order.refusals import (
    CancellationNotAllowed,
    ImplausibleAmount,
    InvalidOrder,
    NoSuchApproval,
    NotContested,
    OrderNotFound,
    Rejected,
    SecondPersonNeeded,
    UnknownLine,
)
from handlers.http.refusals import RequestRefused
from handlers.http.responses import Response
from workflows.audit.checkpoint_store import CheckpointsUnavailable
from workflows.audit.exports import (
    ExportsBusy,
    ExportsUnavailable,
    FormatUnavailable,
    NoExports,
    NoSuchExport,
)
from workflows.audit.head_tree import NoSuchCheckpoint
from workflows.audit.proofs import NotProvable
from workflows.boundary.problem_types import PROBLEM_URN
from workflows.catalogue.picture_store import PicturesUnavailable
from workflows.catalogue.refusals import CatalogueNotAllowed, InvalidPicture, MenuNotFound, PictureNotFound
from workflows.erasure.refusals import ErasureNeedsSecondPerson, NoErasureProposed
from workflows.event_store.codec import Undecodable
from workflows.event_store.commits import NOT_AS_WRITTEN, ChainBroken, KeyReused, UnknownEvent
from workflows.event_store.documents import DocumentsUnavailable
from workflows.event_store.event_log import CommitTooLarge, NoSuchVersion, StreamUnavailable, TooManyConflicts
from workflows.event_store.keyring import KeyRingUnavailable
from workflows.event_store.transact import PreconditionFailed
from workflows.executions import ExecutionsUnavailable, NoSuchExecution
from workflows.incidents.refusals import NoSuchGroup, NoSuchJob, WriteOffNeedsIntent
from workflows.orders.permissions import NotAllowed
from workflows.orders.requests import ImplausibleTime
from workflows.orders.time_travel import NotPlacedYet
from workflows.publishing.webhooks.refusals import NoSuchDelivery, NoSuchEndpoint
from workflows.queries.refusals import QueriesBusy, QueriesUnavailable, QueryRefused, QueryTooLarge
from workflows.receipts.issuing import NoReceipt
from workflows.search.refusals import (
    NotACursor,
    NoViewsDatabase,
    SearchTooSlow,
    TooManyMatches,
    TooManyOrders,
    ViewsUnavailable,
)

CONTENT_TYPE = "application/problem+json"
RETRY_AFTER_S = 1
"""A conflict or a failed read of the store is usually over by then."""

STATUS: Mapping[type[Exception], HTTPStatus] = {
    Rejected: HTTPStatus.CONFLICT,  # a broken rule, unless it is listed here
    OrderNotFound: HTTPStatus.NOT_FOUND,
    NotPlacedYet: HTTPStatus.NOT_FOUND,
    NoSuchVersion: HTTPStatus.NOT_FOUND,
    NoSuchApproval: HTTPStatus.NOT_FOUND,
    NotContested: HTTPStatus.NOT_FOUND,
    NoSuchJob: HTTPStatus.NOT_FOUND,
    NoSuchGroup: HTTPStatus.NOT_FOUND,
    NoSuchEndpoint: HTTPStatus.NOT_FOUND,
    NoSuchDelivery: HTTPStatus.NOT_FOUND,
    RestaurantNotFound: HTTPStatus.NOT_FOUND,
    MenuNotFound: HTTPStatus.NOT_FOUND,
    PictureNotFound: HTTPStatus.NOT_FOUND,
    NoReceipt: HTTPStatus.NOT_FOUND,
    NoSuchExecution: HTTPStatus.NOT_FOUND,
    NoErasureProposed: HTTPStatus.NOT_FOUND,
    NoSuchCheckpoint: HTTPStatus.NOT_FOUND,
    NotProvable: HTTPStatus.NOT_FOUND,
    CatalogueNotAllowed: HTTPStatus.FORBIDDEN,
    NotAllowed: HTTPStatus.FORBIDDEN,
    CancellationNotAllowed: HTTPStatus.FORBIDDEN,
    SecondPersonNeeded: HTTPStatus.FORBIDDEN,
    ErasureNeedsSecondPerson: HTTPStatus.FORBIDDEN,
    InvalidOrder: HTTPStatus.UNPROCESSABLE_ENTITY,
    ImplausibleAmount: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownLine: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidRestaurant: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidMenu: HTTPStatus.UNPROCESSABLE_ENTITY,
    InvalidPicture: HTTPStatus.UNPROCESSABLE_ENTITY,
    UnknownItem: HTTPStatus.UNPROCESSABLE_ENTITY,
    ChoiceMissing: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyChoices: HTTPStatus.UNPROCESSABLE_ENTITY,
    BelowMinimum: HTTPStatus.UNPROCESSABLE_ENTITY,
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
    PicturesUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ExecutionsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    CheckpointsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NoViewsDatabase: HTTPStatus.SERVICE_UNAVAILABLE,
    ViewsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    SearchTooSlow: HTTPStatus.SERVICE_UNAVAILABLE,
    QueriesBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    QueriesUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    QueryRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    QueryTooLarge: HTTPStatus.UNPROCESSABLE_ENTITY,
    NoExports: HTTPStatus.SERVICE_UNAVAILABLE,
    ExportsBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    ExportsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    NoSuchExport: HTTPStatus.NOT_FOUND,
    FormatUnavailable: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotACursor: HTTPStatus.BAD_REQUEST,
    TooManyMatches: HTTPStatus.BAD_REQUEST,
    TooManyOrders: HTTPStatus.BAD_REQUEST,
    ChainBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
    Undecodable: HTTPStatus.INTERNAL_SERVER_ERROR,
    UnknownEvent: HTTPStatus.SERVICE_UNAVAILABLE,  # written by a newer release: over once this one is upgraded
}
"""A class that is not listed has the status of the next class it derives from. Any other exception is a bug: 500."""


REFUSALS: tuple[type[Exception], ...] = (RequestRefused, *STATUS)


def refusals() -> Iterator[type[Exception]]:
    """Every class of refusal that can become a problem document, as far as its module is loaded."""
    pending: list[type[Exception]] = [*STATUS, RequestRefused]
    while pending:
        cls = pending.pop()
        if cls not in {Rejected, RequestRefused}:
            yield cls
        pending += [subclass for subclass in cls.__subclasses__() if subclass not in STATUS]


def statuses(cls: type[Exception]) -> Sequence[HTTPStatus]:
    """The HTTP statuses that a class of refusal is answered with."""
    if issubclass(cls, RequestRefused):
        return cls.statuses
    return (next(STATUS[base] for base in cls.__mro__ if base in STATUS),)


def answer(error: Exception, instance: str) -> Response:
    """Respond with the problem document of a refusal.

    Args:
        instance: The path of the request.
    """
    if isinstance(error, RequestRefused):
        return _document(error, error.status, str(error), instance, errors=error.errors, headers=error.headers)
    status = statuses(type(error))[0]
    headers = {"Retry-After": str(RETRY_AFTER_S)} if status is HTTPStatus.SERVICE_UNAVAILABLE else {}
    return _document(error, status, _detail(error), instance, errors=_errors(error), headers=headers)


def title(name: str) -> str:
    """``OrderAlreadyPickedUp`` -> ``Order already picked up``, ``NotACursor`` -> ``Not a cursor``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name).capitalize()


def _document(
    error: Exception,
    status: HTTPStatus,
    detail: str,
    instance: str,
    *,
    errors: Sequence[tuple[str, str]],
    headers: Mapping[str, str],
) -> Response:
    name = type(error).__name__
    body: dict[str, Any] = {
        "type": PROBLEM_URN + name,
        "title": title(name),
        "status": status.value,
        "detail": detail,
        "instance": instance,
    }
    if errors:
        body["errors"] = [{"field": field, "problem": problem} for field, problem in errors]
    text = json.dumps(body)  # ASCII, because a name that the caller sent may hold a lone surrogate
    return Response(status.value, CONTENT_TYPE, text, headers={"Cache-Control": "no-store", **headers})


def _detail(error: Exception) -> str:
    if isinstance(error, NoSuchVersion):
        return f"The order has no version {error.requested}; it is at version {error.version}."
    if isinstance(error, KeyReused):
        return "This Idempotency-Key was already used with a different body. Use a new key for a new request."
    if isinstance(error, StreamUnavailable | DocumentsUnavailable | KeyRingUnavailable):
        return "The order could not be read or written this time. Send the same request again."
    if isinstance(error, ChainBroken | Undecodable):
        return NOT_AS_WRITTEN
    if isinstance(error, ExecutionsUnavailable):
        return "The executions could not be read this time. Send the same request again."
    if isinstance(error, CheckpointsUnavailable):
        return "The checkpoints could not be read this time. Send the same request again."
    if isinstance(error, NotProvable):
        return "No checkpoint has the order yet. One is made each hour, or now by audit prove --checkpoint."
    if isinstance(error, NotACursor):
        return f"cursor: {error}"
    if isinstance(error, PicturesUnavailable):
        return "The picture could not be read or stored this time. Send the same request again."
    return str(error)


def _errors(error: Exception) -> Sequence[tuple[str, str]]:
    if isinstance(error, InvalidOrder | InvalidRestaurant | InvalidMenu | InvalidPicture | ImplausibleTime):
        return ((error.field, error.problem),)
    if isinstance(error, WriteOffNeedsIntent):
        return (("intent", str(error)),)
    if isinstance(error, UnknownLine):
        return (("line", str(error)),)
    if isinstance(error, NotACursor):
        return (("cursor", str(error)),)
    if isinstance(error, KeyReused):
        return (("Idempotency-Key", "was already used with a different body; use a new key"),)
    if isinstance(error, PreconditionFailed):
        return (("If-Match", str(error)),)
    return ()
