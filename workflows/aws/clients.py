"""The AWS clients of a process: one a service, made on first use, each with the patience that its service deserves.

Everything here is called by functions with a timeout of their own (30 s for a step), so no call may take botocore's
60 s for one attempt. Each is tried three times with backoff and jitter; every adapter says why its calls may be.
Endpoints, region and credentials come from the environment (``AWS_ENDPOINT_URL`` and the rest), as botocore reads it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_stepfunctions import SFNClient

ATTEMPTS = 3

LONG_POLL_S = 20
"""The longest that SQS waits for a message."""


def config(*, read_timeout_s: float, connections: int = 10) -> Config:
    """``connections``: what is kept open; a function asks one thing at a time, the feed a few at once."""
    return Config(
        connect_timeout=1,  # the same region: milliseconds, or it is down
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=connections,
        # An environment that Lambda thawed finds connections that the other side closed; keepalive notices in time.
        tcp_keepalive=True,
        # Ours are typed, and AWS checks them again: a sixth of boto3's own time a call (60 to 90 of 410 us).
        parameter_validation=False,
    )


CONFIGS = {
    # Answers in single-digit milliseconds. A backend service with threads shares the client, so the pool is larger.
    "dynamodb": config(read_timeout_s=2, connections=32),
    # As fast, and asked for a customer's key once in five minutes.
    "kms": config(read_timeout_s=2),
    # Tens of milliseconds; a start under load takes longer.
    "stepfunctions": config(read_timeout_s=5),
    # PutEvents takes ten entries at once.
    "events": config(read_timeout_s=5),
    # Reading waits for messages as long as it is asked to, and must not be cut off before.
    "sqs": config(read_timeout_s=LONG_POLL_S + 5),
    # A batch of records is up to 6 MB.
    "s3": config(read_timeout_s=10),
    "secretsmanager": config(read_timeout_s=5),
}

_made: dict[str, Any] = {}
_gate = threading.Lock()  # boto3's session makes one client at a time

T = TypeVar("T")


def _once(make: Callable[[], T]) -> Callable[[], T]:
    """Made when first asked for, then shared; threads may."""

    @wraps(make)
    def shared() -> T:
        with _gate:
            if make.__name__ not in _made:
                _made[make.__name__] = make()
            client: T = _made[make.__name__]
            return client

    return shared


@_once
def dynamodb() -> DynamoDBClient:
    return boto3.client("dynamodb", config=CONFIGS["dynamodb"])


@_once
def kms() -> KMSClient:
    return boto3.client("kms", config=CONFIGS["kms"])


@_once
def step_functions() -> SFNClient:
    return boto3.client("stepfunctions", config=CONFIGS["stepfunctions"])


@_once
def event_bridge() -> EventBridgeClient:
    return boto3.client("events", config=CONFIGS["events"])


@_once
def sqs() -> SQSClient:
    return boto3.client("sqs", config=CONFIGS["sqs"])


@_once
def s3() -> S3Client:
    return boto3.client("s3", config=CONFIGS["s3"])


@_once
def secrets_manager() -> SecretsManagerClient:
    return boto3.client("secretsmanager", config=CONFIGS["secretsmanager"])
