"""The engine as it is deployed, without AWS: every function on the AWS adapters, each invocation a process of its own.

DynamoDB is the official DynamoDB Local, or moto; KMS is moto; Step Functions is the embedded engine's endpoint, behind
which a ledger keeps what was started and settled. The state of it all can be saved and put back.
"""

from __future__ import annotations

import copy
import importlib
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
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
from workflows.simulation.world import _sandbox

ORDER_MACHINE = arns.machine_arn("OrderMachine")
NOON = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)


class StandingClock:
    """The time of the story's chapter: every attempt has the same."""

    def __init__(self) -> None:
        self.time = NOON

    def now(self) -> datetime:
        return self.time


@dataclass
class Ledger:
    """What Step Functions was asked to do. It is what ``StepFunctionsApi`` takes for its driver."""

    starts: dict[str, str] = field(default_factory=dict)
    tasks: dict[str, list[Any]] = field(default_factory=dict)  # by token: whose it is, and what became of it

    def token_for(self, task: str) -> str:
        """A token for an attempt of this task; that of an attempt before is gone."""
        for entry in self.tasks.values():
            if entry == [task, "open"]:
                entry[1] = "gone"
        token = make_token(arns.execution_arn("Any", "any"), sha256(f"{task} {len(self.tasks)}".encode()).digest())
        self.tasks[token] = [task, "open"]
        return token

    def is_open(self, token: str) -> bool:
        return self.tasks[token][1] == "open"

    def start_execution(self, machine: str, name: str, given: Any) -> Any:
        """A second start meets an execution that has ended by then, which is the harsher of AWS's two answers."""
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
    """Everything that lasts."""

    tables: Mapping[str, Mapping[str, Any]]
    ledger: Ledger
    fed: Mapping[str, int]
    time: datetime


class Deployed:
    """``striker`` sees every call of the functions, and none of those that save, put back or read the state."""

    def __init__(self, raw: Any, tables: Mapping[str, str], key_arn: str, ledger: Ledger) -> None:
        self.clock = StandingClock()
        self.ledger = ledger
        self.fed: dict[str, int] = {}  # the newest version of each stream that the feed brought
        self.striker = Striker([clients.dynamodb(), clients.kms(), clients.step_functions()])
        self._raw = raw
        self._tables = tables
        self._scanned: dict[str, dict[str, Any]] = {}  # what ``seen`` read and no write has changed since
        self._key_arn = key_arn
        self._sandbox = _sandbox(SimpleNamespace(now=self.clock.now))
        raw_kms = boto3.client("kms")
        self._reader = InMemoryEventLog(
            Codec(KmsKeyRing(raw, raw_kms, tables["keys"], key_arn), EVENT_TYPES), self.clock
        )
        self._door = Shop()

    # --- functions -----------------------------------------------------------------------------------------------

    def request(self, method: str, path: str, body: Any, *, role: str, sub: str, key: str) -> Answer:
        """As API Gateway calls one of the APIs, which have the customers' keys."""
        self._door.engine = self._engine(self.keyring())
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
        """That of a process that has asked for no key yet."""
        return KmsKeyRing(clients.dynamodb(), clients.kms(), self._tables["keys"], self._key_arn)

    def _engine(self, keyring: KeyRing, for_payments: KeyRing | None = None) -> Engine:
        def log(keys: KeyRing) -> DynamoDbEventLog:
            return DynamoDbEventLog(clients.dynamodb(), self._tables["events"], Codec(keys, EVENT_TYPES), self.clock)

        return assemble(
            log=log(keyring),
            log_with_keys=log(for_payments or keyring),
            documents=DynamoDbDocuments(clients.dynamodb(), self._tables["documents"]),
            executions=StepFunctions(clients.step_functions()),
            payments=self._sandbox.payments,
            kitchen=self._sandbox.kitchen,
            couriers=self._sandbox.couriers,
            clock=self.clock,
        )

    # --- its state -----------------------------------------------------------------------------------------------

    def commits(self) -> dict[str, list[Any]]:
        """All that is in the log, by stream, in order."""
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

    def seen(self) -> dict[str, Any]:
        """What must not be lost or doubled, as it looks from outside; the chain of each stream is verified."""
        self._scanned = {name: self._items(name) for name in self._tables}
        streams = _streams(self._scanned["events"]).items()
        log = {stream: self._history(stream, commits) for stream, commits in streams}
        documents = list(self._scanned["documents"].values())
        tokens = [json.loads(item["body"]["S"]).get("token") for item in documents]
        return {
            "events": log,
            "starts": dict(self.ledger.starts),
            "settled": sorted((task, str(became)) for task, became in self.ledger.tasks.values() if became != "gone"),
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
                assert any(pk.startswith(f"key#{item['id']['S']}") for pk in keys), "a key is named and not there"
                yield item["pk"]["S"]

    def _items(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        request: dict[str, Any] = {"TableName": self._tables[name], "ConsistentRead": True}
        while True:
            page = self._raw.scan(**request)
            found |= {_place(item): item for item in page["Items"]}
            if "LastEvaluatedKey" not in page:
                return found
            request["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def _make(self, name: str, wanted: Mapping[str, Any]) -> None:
        there = self._scanned.get(name) or self._items(name)
        writes = [{"PutRequest": {"Item": item}} for place, item in wanted.items() if there.get(place) != item]
        gone = [item for place, item in there.items() if place not in wanted]
        keys = [{key: item[key] for key in ("pk", "sk") if key in item} for item in gone]
        writes += [{"DeleteRequest": {"Key": key}} for key in keys]
        for start in range(0, len(writes), 25):  # the most that BatchWriteItem takes
            self._raw.batch_write_item(RequestItems={self._tables[name]: writes[start : start + 25]})


def _streams(items: Mapping[str, Any]) -> dict[str, list[Any]]:
    found = defaultdict(list)
    for item in items.values():
        found[item["pk"]["S"]].append(_commit(item))
    return {stream: sorted(commits, key=lambda commit: commit.sk) for stream, commits in found.items()}


def _place(item: Mapping[str, Any]) -> str:
    return f"{item['pk']['S']} {next(iter(item['sk'].values())) if 'sk' in item else ''}"


@contextmanager
def deployed(dynamodb_url: str | None) -> Iterator[Deployed]:
    """``dynamodb_url`` None is moto's. The environment of the process names what is elsewhere, as on AWS."""
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
