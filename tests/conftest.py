"""AWS for tests on one machine: moto in this process, and the official DynamoDB Local beside it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.memory_folder import use_memory_for_temporary_files

pytest.register_assert_rewrite(
    "tests.aws.deployed", "tests.aws.story", "tests.breakers.circuits", "tests.recorded", "tests.sagas.restarting"
)
pytest_plugins = ["tests.sql.databases", "tests.stores"]

use_memory_for_temporary_files()

# The same examples in every run, so that a change is judged by what it changed; 50 for laws that set no number.
# New examples, by hand after a change to the rules: pytest tests/domain --hypothesis-profile=thorough
settings.register_profile("suite", max_examples=50, derandomize=True)
settings.register_profile("thorough", max_examples=3000, deadline=None)
settings.load_profile("suite")

EMULATOR = Path(__file__).parents[1] / ".dynamodb-local" / "emulator"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set credentials of no real account, and forget the clients of other tests."""
    from workflows.aws import clients

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "local")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "local")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setattr(clients, "_made", {})


@pytest.fixture
def moto(aws, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Start moto, with one request at a time.

    moto checks a condition and writes in two steps, between which another thread can write; AWS does both at once.
    Requests to an endpoint on this machine are passed through.
    """
    from moto import mock_aws
    from moto.core.botocore_stubber import BotocoreStubber

    answer, gate = BotocoreStubber.__call__, threading.Lock()

    def answer_one_at_a_time(stubber: BotocoreStubber, *arguments, **named):
        with gate:
            return answer(stubber, *arguments, **named)

    monkeypatch.setattr(BotocoreStubber, "__call__", answer_one_at_a_time)
    elsewhere = {"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:"]}}}
    with mock_aws(config=elsewhere):
        yield


@pytest.fixture(scope="session")
def dynamodb_local() -> Iterator[str]:
    """The endpoint of the official DynamoDB Local: on a free port, once per test process, or where one runs already."""
    running = os.environ.get("DYNAMODB_LOCAL_URL")  # e.g. that of compose.yaml
    if running:
        yield running
        return
    if shutil.which("java") is None:
        pytest.skip("DynamoDB Local needs Java 17 or newer, and there is no java on the PATH")
    if not (EMULATOR / "DynamoDBLocal.jar").exists():
        pytest.skip("DynamoDB Local is not in .dynamodb-local/: run tests/fetch_dynamodb_local.sh")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = ["java", "-Xmx256m", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar"]
    options = ["-inMemory", "-disableTelemetry", "-port", str(port)]
    process = subprocess.Popen(command + options, cwd=EMULATOR, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_until_it_answers(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


@pytest.fixture
def dynamodb_client(request: pytest.FixtureRequest) -> Callable[[str], Any]:
    """A client of ``moto`` or ``local``, configured as in production but with timeouts for a busy machine."""

    def client(where: str) -> Any:
        from workflows.aws import clients

        if where == "moto":
            request.getfixturevalue("moto")
            return clients.dynamodb()
        request.getfixturevalue("aws")
        import boto3
        from botocore.config import Config

        config = clients.CONFIGS["dynamodb"].merge(Config(connect_timeout=30, read_timeout=60))
        return boto3.client("dynamodb", endpoint_url=request.getfixturevalue("dynamodb_local"), config=config)

    return client


@pytest.fixture
def create_table() -> Callable[..., str]:
    """Create a table with a unique name: ``create_table(client, "events", pk="S", sk="N")``. Returns the name."""

    def create(client: Any, name: str, **keys: str) -> str:
        table = f"{name}-{uuid.uuid4()}"
        client.create_table(
            TableName=table,
            KeySchema=[
                {"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, ("HASH", "RANGE"), strict=False)
            ],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
            BillingMode="PAY_PER_REQUEST",
        )
        return table

    return create


@pytest.fixture
def next_time() -> Callable[..., list[str]]:
    """Call a function at the next botocore event of a kind: ``next_time(client, event, happens)``.

    ``event`` is botocore's, e.g. ``before-call.dynamodb.PutItem``. Returns a list: the event, once it happened.
    """

    def once(client: Any, event: str, happens: Callable[..., Any]) -> list[str]:
        happened: list[str] = []

        def handler(**arguments: Any) -> Any:
            if happened:
                return None
            happened.append(event)
            return happens(**arguments)

        client.meta.events.register_first(event, handler)
        return happened

    return once


def _wait_until_it_answers(process: subprocess.Popen[bytes], endpoint: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            pytest.skip(f"DynamoDB Local ended at once with {process.returncode}: is java older than 17?")
        try:
            urllib.request.urlopen(endpoint, timeout=1)
        except urllib.error.HTTPError:
            return  # it refuses a request that is not DynamoDB's
        except OSError:
            threading.Event().wait(0.05)
    pytest.skip("DynamoDB Local did not answer within 60 s")
