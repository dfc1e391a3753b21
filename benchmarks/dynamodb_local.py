"""The official DynamoDB Local on a free port, with a table of the event log."""

from __future__ import annotations

import os
import socket
import subprocess
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

EMULATOR = Path(__file__).parents[1] / ".dynamodb-local" / "emulator"
REGION = "eu-central-1"


class NoDynamoDbLocal(SystemExit):
    """DynamoDB Local is not installed, or does not start."""


@contextmanager
def dynamodb_local() -> Iterator[int]:
    """Run DynamoDB Local in memory and yield its port on 127.0.0.1."""
    if not (EMULATOR / "DynamoDBLocal.jar").exists():
        raise NoDynamoDbLocal("DynamoDB Local is not in .dynamodb-local/: run tests/fetch_dynamodb_local.sh")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
    java = ["java", "-Xmx1g", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(
        [*java, "-inMemory", "-disableTelemetry", "-port", str(port)],
        cwd=EMULATOR,
        **quiet,  # type: ignore[call-overload]  # two constants, which mypy reads as any int
    )
    try:
        _wait_until_it_answers(process, port)
        yield port
    finally:
        process.terminate()
        process.wait()


def keep_to_local() -> None:
    """Set credentials that no real account accepts, for this process and its child processes."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.pop("AWS_PROFILE", None)


def local_client(port: int) -> DynamoDBClient:
    """Make a client with the settings of production, but with a long timeout for an emulator that has just started."""
    import boto3
    from botocore.config import Config

    from workflows.aws.clients import CONFIGS

    config = CONFIGS["dynamodb"].merge(Config(read_timeout=60))
    return boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=config)


def plain_client(port: int) -> DynamoDBClient:
    """Make a client with boto3's default settings."""
    import boto3

    return boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}")


def create_table(client: DynamoDBClient, sort_key: str = "N") -> str:
    """Create a table with the keys ``pk`` (S) and ``sk``, and return its name."""
    table = f"table-{uuid.uuid4()}"
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
        AttributeDefinitions=[
            {"AttributeName": "pk", "AttributeType": "S"},
            {"AttributeName": "sk", "AttributeType": sort_key},  # type: ignore[typeddict-item]  # "N" or "S"
        ],
        BillingMode="PAY_PER_REQUEST",
    )
    return table


def _wait_until_it_answers(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NoDynamoDbLocal(f"DynamoDB Local ended at once with {process.returncode}: is java older than 17?")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}", timeout=1)
        except urllib.error.HTTPError:
            return  # it answers, and refuses this request
        except OSError:
            time.sleep(0.05)
    raise NoDynamoDbLocal("DynamoDB Local did not answer within 60 s")
