"""The official DynamoDB Local on a free port, and a table of ours in it."""

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
    """It is not there, or does not start."""


@contextmanager
def dynamodb_local() -> Iterator[int]:
    """Its port on 127.0.0.1. In memory, so that what is measured is the client."""
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
    """Credentials that no real account knows, for this process and those it starts."""
    os.environ |= {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    os.environ.pop("AWS_PROFILE", None)


def local_client(port: int) -> DynamoDBClient:
    """With the settings of production, but patient with an emulator that has just started."""
    import boto3
    from botocore.config import Config

    from workflows.aws.clients import CONFIGS

    config = CONFIGS["dynamodb"].merge(Config(read_timeout=60))
    return boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}", config=config)


def plain_client(port: int) -> DynamoDBClient:
    """As boto3 makes one who is told nothing."""
    import boto3

    return boto3.client("dynamodb", endpoint_url=f"http://127.0.0.1:{port}")


def create_table(client: DynamoDBClient, sort_key: str = "N") -> str:
    """``pk`` (S) and ``sk``. Returns its name."""
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
            return  # it refuses what is not a DynamoDB request
        except OSError:
            time.sleep(0.05)
    raise NoDynamoDbLocal("DynamoDB Local did not answer within 60 s")
