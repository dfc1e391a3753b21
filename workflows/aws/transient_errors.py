"""What AWS says, or does not, when it has no answer for now: the same words for every service.

Anything else is a refusal: a missing table, permission or name does not go away by asking again, so it stays the error
that it is, for a person to read.
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
"""What a call can raise after botocore's own attempts."""

_NOT_NOW = frozenset(
    {
        # throttled, in the words of each service
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
        # trouble there; most of it also says so by its status
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
    """AWS's name of the error; empty when there was no answer at all."""
    return str(error.response["Error"].get("Code", "")) if isinstance(error, ClientError) else ""


def is_no_answer(error: Exception) -> bool:
    """Throttled, trouble at AWS, or silence. What was asked for may have been carried out, and may still be."""
    if not isinstance(error, ClientError):
        return isinstance(error, AWS_ERRORS)
    status = error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
    return error_code(error) in _NOT_NOW or status >= 500


@contextmanager
def no_answer_as(unavailable: Callable[[str], Exception]) -> Iterator[None]:
    """Raise ``unavailable`` of the reason where AWS has no answer."""
    try:
        yield
    except AWS_ERRORS as error:
        if not is_no_answer(error):
            raise
        raise unavailable(str(error)) from error


def was_repeated(error: ClientError) -> bool:
    """Whether botocore had asked before: the request that was refused may have been the echo of one that was not."""
    return error.response["ResponseMetadata"].get("RetryAttempts", 0) > 0
