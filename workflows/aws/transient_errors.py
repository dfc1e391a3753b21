"""Tell transient errors of AWS (retry) from permanent ones (raise), the same way for every service.

A permanent error, such as a missing table or permission, does not go away with a retry. It is raised unchanged, so that
a person sees it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name; the builtin is not used here
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

AWS_ERRORS = (ClientError, HTTPClientError, ConnectionError, IncompleteReadError, ResponseParserError)
"""The errors that a call can raise after botocore's own attempts."""

_TRANSIENT_CODES = frozenset(
    {
        # throttled: each service has its own name for it
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "ProvisionedThroughputExceededException",
        "ExecutionLimitExceeded",
        "KmsThrottlingException",
        "KmsThrottled",
        "LimitExceededException",
        "SlowDown",
        "OverLimit",
        # faults of the service; most also have a 5xx status
        "InternalServerError",
        "InternalException",
        "InternalFailure",
        "ServiceUnavailable",
        "RequestTimeout",
        "RequestTimeoutException",
        "TransactionConflictException",
    }
)


def error_code(error: Exception) -> str:
    """Return AWS's name of the error; empty if no response arrived."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


def is_transient(error: Exception) -> bool:
    """Return whether the call was throttled, failed at AWS, or got no response.

    Its effect is unknown: AWS may have carried it out, or may still do so.
    """
    if not isinstance(error, ClientError):
        return isinstance(error, AWS_ERRORS)
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    return error_code(error) in _TRANSIENT_CODES or status >= 500


@contextmanager
def transient_as(unavailable: Callable[[str], Exception]) -> Iterator[None]:
    """Raise ``unavailable(reason)`` in place of a transient error."""
    try:
        yield
    except AWS_ERRORS as error:
        if not is_transient(error):
            raise
        raise unavailable(str(error)) from error


def was_retried(error: ClientError) -> bool:
    """Return whether botocore sent the request more than once, so that an earlier attempt may have succeeded."""
    return error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
