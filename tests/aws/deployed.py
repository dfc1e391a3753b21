"""Run the deployed functions without AWS: on the AWS adapters, each invocation as a new process.

DynamoDB is the official DynamoDB Local, or moto; KMS is moto; Step Functions is the embedded engine's endpoint, with a
ledger of started executions and settled tasks behind it. The whole state can be saved and restored.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from tests.aws.striking import Striker
from tests.handlers.conftest import Answer, Shop
from workflows.asl.signals import ExecutionStatus
from workflows.asl.tokens import make_token
from workflows.aws import clients
from workflows.aws.documents import DynamoDbDocuments
from workflows.aws.event_log import DynamoDbEventLog, _commit
from workflows.aws.keyring import KmsKeyRing
from workflows.aws.step_functions import StepFunctions
from workflows.embedded import arns
from workflows.embedded.step_functions.api import StepFunctionsApi
from workflows.engine import EVENT_TYPES, Engine, assemble, serving
from workflows.event_store.codec import Codec
from workflows.event_store.keyring import KeyRing, NoKeys
from workflows.executions import TokenGone
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.simulation.counterparties import MemoryDatabase, sandbox_in_memory

ORDER_MACHINE = arns.machine_arn("OrderMachine")
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class StandingClock:
    """The time of the story's chapter, the same for every attempt of an invocation."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@dataclass
class Ledger:
    """The executions started and the tasks settled. ``StepFunctionsApi`` takes it as its driver."""

    starts: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, list[Any]] = field(default_factory=dict)  # by token: the task's name and its outcome

    def token_for(self, task: str) -> str:
        """Make a token for an attempt of this task; the token of an earlier attempt becomes invalid."""
        for entry in self.tasks.values():
            if entry == [task, "open"]:
                entry[1] = "gone"
        token = make_token(arns.execution_arn("Any", "any"), sha256(f"{task} {len(self.tasks)}".encode()).digest())
        self.tasks[token] = [task, "open"]
        return token

    def is_open(self, token: str) -> bool:
        return self.tasks[token][1] == "open"

    def start_execution(self, machine: str, name: str, given: Any, _text: str | None = None) -> Any:
        """Start an execution. A second start finds it ended, which is the stricter of AWS's two answers."""
        assert machine == ORDER_MACHINE
        status = ExecutionStatus.SUCCEEDED if name in self.starts else ExecutionStatus.RUNNING
        text = self.starts.setdefault(name, json.dumps(given))
        return SimpleNamespace(arn=arns.execution_arn("OrderMachine", name), status=status, input=text, started_at=NOON)

    def succeed(self, token: str, output: Any) -> None:
        self._settle(token, {"succeeded": output})

    def fail(self, token: str, error: str, cause: str) -> None:
        self._settle(token, {"failed": error})

    def _settle(self, token: str, outcome: Mapping[str, Any]) -> None:
        if not self.is_open(token):
            raise TokenGone("no task waits with this token")
        self.tasks[token][1] = outcome


@dataclass(frozen=True)
class Saved:
    """All state that outlives an invocation."""

    tables: Mapping[str, Mapping[str, Any]]
    ledger: Ledger
    fed: Mapping[str, int]
    time: datetime


class Deployed:
    """The functions and their state. ``striker`` sees the functions' calls, not those that save, load or read state."""

    def __init__(self, raw: Any, tables: Mapping[str, str], key_arn: str, ledger: Ledger) -> None:
        self.clock = StandingClock()
        self.ledger = ledger
        self.fed: dict[str, int] = {}  # the newest version of each stream that the feed brought
        self.striker = Striker([clients.dynamodb(), clients.kms(), clients.step_functions()])
        self._raw = raw
        self._tables = tables
        self._scanned: dict[str, dict[str, Any]] = {}  # as ``seen`` read the tables, if unchanged since
        self._key_arn = key_arn
        self._sandbox = sandbox_in_memory(SimpleNamespace(now=self.clock.now), MemoryDatabase())
        raw_kms = boto3.client("kms")
        self._reader = InMemoryEventLog(
            Codec(KmsKeyRing(raw, raw_kms, tables["keys"], key_arn), EVENT_TYPES), self.clock
        )
        self._door = Shop()

    # --- functions -----------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: Any, *, role: str, sub: str, key: str) -> Answer:
        """Call one of the APIs, which have the customers' keys, as API Gateway does."""
        self._door.engine = self.engine()
        self._door.environment = {"SECOND_PERSON_ABOVE": "1000.00 EUR"}
        sent = () if body is None else (body,)
        return self._door.call(method, path, *sent, role=role, sub=sub, key=key if method == "POST" else None)

    def invoke(self, handler: str, event: Any) -> Any:
        """As Lambda calls one of the other functions, which have no keys but for the payment method."""
        module, _, name = handler.rpartition(".")
        with serving(self._engine(NoKeys(), self.keyring()), {"ORDER_MACHINE": ORDER_MACHINE}):
            result = getattr(importlib.import_module(module), name)(json.loads(json.dumps(event)), None)
        return json.loads(json.dumps(result))

    def keyring(self) -> KmsKeyRing:
        """Open the key ring of a new process, with an empty cache."""
        return KmsKeyRing(clients.dynamodb(), clients.kms(), self._tables["keys"], self._key_arn)

    def engine(self) -> Engine:
        """Open the ports of a new process of the APIs."""
        keyring = self.keyring()
        return replace(self._engine(keyring), keyring=keyring)

    def _engine(self, keyring: KeyRing, for_payments: KeyRing | None = None) -> Engine:
        def log(keys: KeyRing) -> DynamoDbEventLog:
            return DynamoDbEventLog(clients.dynamodb(), self._tables["events"], Codec(keys, EVENT_TYPES), self.clock)

        return assemble(
            log=log(keyring),
            log_with_keys=log(for_payments or keyring),
            log_without_keys=log(NoKeys()),
            documents=DynamoDbDocuments(clients.dynamodb(), self._tables["documents"]),
            executions=StepFunctions(clients.step_functions()),
            payments=self._sandbox.payments,
            kitchen=self._sandbox.kitchen,
            couriers=self._sandbox.couriers,
            clock=self.clock,
        )

    # --- its state -----------------------------------------------------------------------------------------------

    def commits(self) -> dict[str, list[Any]]:
        """Read all commits of the log, by stream, in order."""
        return _streams(self._items("events"))

    def save(self) -> Saved:
        tables = {name: self._items(name) for name in self._tables}
        return Saved(tables, copy.deepcopy(self.ledger), dict(self.fed), self.clock.time)

    def put_back(self, saved: Saved) -> None:
        for name in self._tables:
            self._make(name, saved.tables[name])
        self._scanned = {}
        kept = copy.deepcopy(saved.ledger)
        self.ledger.starts, self.ledger.tasks = kept.starts, kept.tasks
        self.fed, self.clock.time = dict(saved.fed), saved.time

    def restore_log(self, saved: Saved) -> None:
        """Put the log back as point-in-time recovery does. The tables of documents and keys stay as they are."""
        self._make("events", saved.tables["events"])
        self._scanned = {}

    def seen(self) -> dict[str, Any]:
        """Read all state that must not be lost or doubled, and verify the chain of each stream."""
        self._scanned = {name: self._items(name) for name in self._tables}
        streams = _streams(self._scanned["events"]).items()
        log = {stream: self._history(stream, commits) for stream, commits in streams}
        documents = list(self._scanned["documents"].values())
        tokens = [json.loads(item["body"]["S"]).get("token") for item in documents]
        return {
            "events": log,
            "starts": dict(self.ledger.starts),
            "settled": sorted(
                (task, str(outcome)) for task, outcome in self.ledger.tasks.values() if outcome != "gone"
            ),
            "waits": sorted({self.ledger.tasks[token][0] for token in tokens if token and self.ledger.is_open(token)}),
            "open orders": {
                item["sk"]["S"]: item["body"]["S"] for item in documents if item["pk"]["S"].startswith("open-orders#")
            },
            "fed": dict(self.fed),
            "customers with a key": sorted(self._named_keys()),
        }

    def _history(self, stream: str, commits: list[Any]) -> list[tuple[int, str, str]]:
        return [
            (recorded.version, recorded.key, repr(recorded.event))
            for recorded in self._reader.replay(stream, commits).recorded
        ]

    def _named_keys(self) -> Iterator[str]:
        keys = self._scanned["keys"]
        for item in keys.values():
            if "id" in item:
                assert any(pk.startswith(f"key#{item['id']['S']}") for pk in keys), "the key of a customer is missing"
                yield item["pk"]["S"]

    def _items(self, name: str) -> dict[str, Any]:
        items: dict[str, Any] = {}
        request: dict[str, Any] = {"TableName": self._tables[name], "ConsistentRead": True}
        while True:
            page = self._raw.scan(**request)
            items |= {_place(item): item for item in page["Items"]}
            if "LastEvaluatedKey" not in page:
                return items
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _make(self, name: str, items: Mapping[str, Any]) -> None:
        stored = self._scanned.get(name) or self._items(name)
        writes = [{"PutRequest": {"Item": item}} for place, item in items.items() if stored.get(place) != item]
        surplus = [item for place, item in stored.items() if place not in items]
        keys = [{key: item[key] for key in ("pk", "sk") if key in item} for item in surplus]
        writes += [{"DeleteRequest": {"Key": key}} for key in keys]
        for start in range(0, len(writes), 25):  # the most that BatchWriteItem takes
            self._raw.batch_write_item(RequestItems={self._tables[name]: writes[start : start + 25]})


def _streams(items: Mapping[str, Any]) -> dict[str, list[Any]]:
    streams = defaultdict(list)
    for item in items.values():
        streams[item["pk"]["S"]].append(_commit(item))
    return {stream: sorted(commits, key=lambda commit: commit.sk) for stream, commits in streams.items()}


def _place(item: Mapping[str, Any]) -> str:
    return f"{item['pk']['S']} {next(iter(item['sk'].values())) if 'sk' in item else ''}"


@contextmanager
def deployed(dynamodb_url: str | None) -> Iterator[Deployed]:
    """Open the deployed functions. ``dynamodb_url`` None means moto. Endpoints come from the environment, as on AWS."""
    from moto import mock_aws

    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        stack.enter_context(mock_aws(config={"core": {"passthrough": {"urls": [r"http://127\.0\.0\.1:"]}}}))
        environment.setattr(clients, "_made", {})
        environment.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        ledger: Any = Ledger()
        api = StepFunctionsApi(ledger, SimpleNamespace())
        stack.callback(api.close)
        environment.setenv("AWS_ENDPOINT_URL_SFN", api.url)
        if dynamodb_url is not None:
            environment.setenv("AWS_ENDPOINT_URL_DYNAMODB", dynamodb_url)
        raw = boto3.client("dynamodb")
        tables = {
            "events": _table(raw, "events", pk="S", sk="N"),
            "documents": _table(raw, "documents", pk="S", sk="S"),
            "keys": _table(raw, "keys", pk="S"),
        }
        key = boto3.client("kms").create_key()["KeyMetadata"]["Arn"]
        yield Deployed(raw, tables, key, ledger)


def _table(client: Any, name: str, **keys: str) -> str:
    table = f"every-call-{name}-{id(client)}"
    kinds = zip(keys, ("HASH", "RANGE"), strict=False)
    client.create_table(
        TableName=table,
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in kinds],
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": kind} for key, kind in keys.items()],
        BillingMode="PAY_PER_REQUEST",
    )
    return table


def chapter(number: int) -> datetime:
    return NOON + timedelta(seconds=10 * number)
