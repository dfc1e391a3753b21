"""The AWS clients of a process: one for each service, created on first use, with timeouts that suit the service.

The callers are functions with a timeout of their own (30 s for a step), so no attempt may take botocore's default of
60 s. Each call is attempted three times with backoff and jitter; every adapter states why its calls may be repeated.
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
    from mypy_boto3_stepfunctions import SFNClient

ATTEMPTS = 3


def config(*, read_timeout_s: float, connections: int = 10) -> Config:
    """Return a client configuration. ``connections`` is the number that the client keeps open."""
    return Config(
        connect_timeout=1,  # the same region: a connection takes milliseconds, or the service is down
        read_timeout=read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        max_pool_connections=connections,
        # While Lambda freezes an environment, AWS closes its connections; keepalive detects that.
        tcp_keepalive=True,
        # The calls are type-checked, and AWS validates them again: saves 60 to 90 of boto3's 410 us a call.
        parameter_validation=False,
    )


CONFIGS = {
    # Responds within milliseconds. The threads of a backend service share the client, so the pool is larger.
    "dynamodb": config(read_timeout_s=2, connections=32),
    # As fast; called once in five minutes for a customer's key.
    "kms": config(read_timeout_s=2),
    # Responds within tens of milliseconds; a start under load takes longer.
    "stepfunctions": config(read_timeout_s=5),
    # A PutEvents request carries ten entries.
    "events": config(read_timeout_s=5),
    # A batch of records has up to 6 MB.
    "s3": config(read_timeout_s=10),
    "secretsmanager": config(read_timeout_s=5),
    # An asynchronous invocation is accepted within milliseconds; signing a manifest may be a cold start. A function of
    # the stream, which the timer invokes with a failed batch, may run for a minute.
    "lambda": config(read_timeout_s=65),
}

_made: dict[str, Any] = {}
_gate = threading.Lock()  # boto3's session is not thread-safe

T = TypeVar("T")


def _once(make: Callable[[], T]) -> Callable[[], T]:
    """Create a client on the first call and return the same one afterwards, to all threads."""

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
def s3() -> S3Client:
    return boto3.client("s3", config=CONFIGS["s3"])


@_once
def lambda_() -> Any:
    return boto3.client("lambda", config=CONFIGS["lambda"])


@_once
def secrets_manager() -> SecretsManagerClient:
    return boto3.client("secretsmanager", config=CONFIGS["secretsmanager"])
