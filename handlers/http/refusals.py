"""Refusals of the request itself, before any business rule is checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import ClassVar

from domain.picklable import Picklable


class RequestRefused(Picklable, Exception):
    """The request cannot be served. The name of the subclass is the name of the problem.

    Attributes:
        statuses: The HTTP statuses that the subclass can have; the first unless another is passed.
        errors: Pairs of a field's name and what to do about it.
    """

    statuses: ClassVar[tuple[HTTPStatus, ...]]

    def __init__(
        self,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        *,
        status: HTTPStatus | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status or self.statuses[0]
        self.errors = errors
        self.headers = headers or {}


class Unauthenticated(RequestRefused):
    """The request has no access token."""

    statuses = (HTTPStatus.UNAUTHORIZED,)


class AccessTokenRequired(RequestRefused):
    """The token is an id token."""

    statuses = (HTTPStatus.UNAUTHORIZED,)


class RoleUnclear(RequestRefused):
    """The token carries no role, or more than one."""

    statuses = (HTTPStatus.FORBIDDEN,)


class SubjectUnusable(RequestRefused):
    """The token's user name cannot be the name of a customer, restaurant, courier or employee."""

    statuses = (HTTPStatus.FORBIDDEN,)


class NoSuchPath(RequestRefused):
    """The API has no such path."""

    statuses = (HTTPStatus.NOT_FOUND,)


class UnsupportedContent(RequestRefused):
    """The body is not declared as JSON in UTF-8."""

    statuses = (HTTPStatus.UNSUPPORTED_MEDIA_TYPE,)


class LiveUpdatesUnavailable(RequestRefused):
    """This deployment serves no sockets."""

    statuses = (HTTPStatus.SERVICE_UNAVAILABLE,)


class MalformedBody(RequestRefused):
    """The body is not a JSON object, is too large, or two parsers could read it differently."""

    statuses = (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, HTTPStatus.UNPROCESSABLE_ENTITY)


class InvalidRequest(RequestRefused):
    """Values are missing, unknown or out of bounds: 400 in headers and query, 422 in path and body."""

    statuses = (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY)
