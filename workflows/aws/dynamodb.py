"""The DynamoDB client and what its errors mean to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3
from botocore.config import Config
from botocore.exceptions import (
    ClientError,
    ConnectionError,  # noqa: A004 - botocore's name; the builtin is not used here
    HTTPClientError,
    IncompleteReadError,
)
from botocore.parsers import ResponseParserError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

CONFIG = Config(
    # DynamoDB answers in single-digit milliseconds; botocore's own 60 s would outlive the Lambda that waits.
    connect_timeout=1,
    read_timeout=2,
    # Three attempts with backoff and jitter, about 12 s at worst. A repeated put meets its own item under the
    # condition and is read as an echo, so repeating is safe.
    retries={"mode": "standard", "total_max_attempts": 3},
    tcp_keepalive=True,
)

NO_ANSWER = (HTTPClientError, ConnectionError, IncompleteReadError, ResponseParserError)
"""The request may have been carried out: ask the table."""

_NOT_NOW = {
    "InternalServerError",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "ThrottlingException",
}


def dynamodb_client(endpoint_url: str | None = None) -> DynamoDBClient:
    """A client may be shared by threads."""
    return boto3.client("dynamodb", config=CONFIG, endpoint_url=endpoint_url)


def is_not_now(error: ClientError) -> bool:
    """Throttled, or trouble at AWS. After an internal error a write may have been carried out."""
    return error.response["Error"]["Code"] in _NOT_NOW or status(error) >= 500


def status(error: ClientError) -> int:
    return error.response["ResponseMetadata"].get("HTTPStatusCode", 0)
