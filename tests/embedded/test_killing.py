"""``kill -9`` while orders are in flight: whatever was acknowledged is there, and every order still ends."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from contextlib import closing
from functools import partial
from pathlib import Path
from random import Random
from time import monotonic
from typing import Any, get_args

import httpx

from domain.identifiers import OrderId
from domain.order.books import books
from domain.order.events import Event, PaymentFact
from domain.order.intents import owed
from domain.order.order import RunState
from tests.embedded.viewed_engine import running_projectors, wait_until
from tests.publishing.verifying_receiver import receiving
from workflows.audit.verify import verify
from workflows.cli.connection import minted
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import cast
from workflows.cli.folder import open_database, open_ledgers, open_log
from workflows.client import ExpediterClient
from workflows.clock import SystemClock
from workflows.embedded.lambda_.published_events import CHECKPOINT
from workflows.embedded.view_builder import start_building, views_of
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.orders.command_handling import fold
from workflows.projections.check import check
from workflows.projections.loading import loads_from
from workflows.projections.log_follower import LogFollower
from workflows.publishing.cloud_events import cloud_events
from workflows.publishing.webhooks import deliveries
from workflows.publishing.webhooks.deliveries import DeliveryState
from workflows.sandbox.books_check import check_books
from workflows.sqlite.documents import SqliteDocuments
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

ROOT = Path(__file__).parents[2]
KILLS = int(os.environ.get("KILLS", "6"))
"""Each start of an engine takes seconds, so the suite kills it a fifth as often as the thorough run, ``KILLS=32``."""
ORDERS = 200 * KILLS // 32
IN_FLIGHT = 96
DEADLINE_S = 400.0
PARAMETERS = {"CourierAnswerSeconds": "2", "KitchenAnswerSeconds": "6", "WebhookTargets": "any"}
SENT = [f"expediter.order.{name}.v1" for name in ("placed", "completed", "cancelled")]
"""Types of events that a webhook endpoint gets meanwhile."""


class MortalEngine:
    """``expediter up`` on one folder and port, killed after some number of answers and started again."""

    def __init__(self, folder: Path, random: Random) -> None:
        self.folder = folder
        self.kills = 0
        self._random = random
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._gate = threading.Lock()
        self._answers_left = 0
        self._start()

    def answered(self) -> None:
        """Count an answer; the engine may be killed after it."""
        with self._gate:
            self._answers_left -= 1
            if self._answers_left > 0 or self.kills == KILLS:
                return
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self.kills += 1
            self._start()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()

    def wait_until_up(self) -> None:
        """Wait until the next engine listens."""
        with self._gate:
            pass

    def _start(self) -> None:
        flags = [f"--parameter={name}={value}" for name, value in PARAMETERS.items()]
        command = [sys.executable, "-m", "workflows.cli", "up", "--data", str(self.folder), "--port", str(self._port)]
        command.append("--demo-data")
        self._process = subprocess.Popen(
            [*command, *flags], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self._process.stdout is not None
        assert self._process.stdout.readline(), f"the engine did not come up after {self.kills} kills"
        self._answers_left = self._random.randint(5, 30)


class PatientTransport(httpx.HTTPTransport):
    """Sends the same request again until an engine answers, and counts the answers."""

    def __init__(self, engine: MortalEngine) -> None:
        super().__init__(limits=httpx.Limits(max_connections=IN_FLIGHT))
        self._engine = engine

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = monotonic() + DEADLINE_S
        while True:
            try:
                answer = super().handle_request(request)
                answer.read()
            except httpx.TransportError:
                assert monotonic() < deadline, "no engine answered"
                self._engine.wait_until_up()
                continue
            self._engine.answered()
            return answer


def test_every_order_ends_whatever_moment_the_engine_is_killed_at(tmp_path: Path, capsys: Any) -> None:
    """Nothing charged twice, lost, doubled or owed, no webhook lost, views as a rebuild: 200 orders, 32 kills."""
    seed = secrets.randbelow(2**32)
    engine = MortalEngine(tmp_path, Random(seed))
    random = Random(seed)
    orders = [(story, demo_order(random, story.payment_method)) for story in cast(ORDERS, random)]

    with receiving() as receiver, httpx.Client(timeout=30, transport=PatientTransport(engine)) as http:

        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(engine.url, minted(tmp_path, role, subject, 3600), http=http)

        endpoint_id = receiver.register(sign_in("service", "loyalty"), SENT)
        played = play(orders, sign_in, "killing", lambda _: None, together=IN_FLIGHT, within_s=DEADLINE_S)
        engine.stop()
    with capsys.disabled():
        print(f"\nseed {seed}: {engine.kills} kills during {len(played)} orders")
    assert engine.kills >= KILLS / 2  # on a loaded machine orders end by their time limits, with fewer answers
    assert [order for order in played if not order.ended] == []
    inspect(tmp_path, {str(order.view["id"]) for order in played})
    inspect_webhooks(tmp_path, endpoint_id, received={event["id"] for event in receiver.events})
    wait_until(lambda: running_projectors(tmp_path) == set())
    inspect_views(tmp_path)


def inspect(folder: Path, placed: set[str]) -> None:
    """Read the folder after the last engine has stopped."""
    with open_log(folder) as log, open_ledgers(folder) as sandbox:
        report = verify(log)
        assert report.intact, report
        assert check_books(log, sandbox).differences == ()
        streams: defaultdict[str, list[Event]] = defaultdict(list)
        for commit in log.scan():
            if not commit.pk.startswith("order#"):
                continue  # a restaurant of the demo
            streams[commit.pk.removeprefix("order#")] += [r.event for r in log.events(commit)]
        assert set(streams) == placed
        for order_id, events in streams.items():
            order = fold(OrderId(order_id), tuple(events))
            assert order.run_state is RunState.ENDED
            assert owed(order) == ()
            assert books(order).settled
            outcomes = Counter((type(e), e.answers) for e in events if isinstance(e, get_args(PaymentFact)))
            assert set(outcomes.values()) <= {1}, f"{order_id} recorded an outcome twice: {outcomes}"


def inspect_views(folder: Path) -> None:
    """Let the next projector go on from the stored position: every view is then what a rebuild would store."""
    views = views_of(folder)
    with open_log(folder) as log, closing(views):
        projector = LogFollower(views, log, loads_from(log), SystemClock(), build=partial(start_building, folder))
        store, writer = projector.open()
        projector.catch_up(store, writer)
        compared = check(store, log)
        assert compared.differences == []
        assert compared.streams >= ORDERS
        with store.reading() as connection:
            assert store.parked(connection) == []


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def inspect_webhooks(folder: Path, endpoint_id: str, received: set[str]) -> None:
    """Each event up to the checkpoint has its delivery, and each delivery that counts as delivered has arrived.

    Those after the checkpoint are taken from the log by the next engine, and pending ones are attempted again.
    """
    with open_database(folder) as database:
        log = SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())
        documents = SqliteDocuments(database)
        checkpoint = documents.get(*CHECKPOINT)
        assert checkpoint is not None
        taken = log.changes(None, checkpoint.body["read_to"])
        events = [
            event
            for entry in taken
            for event in cloud_events(entry.commit.pk.removeprefix("order#"), log.events(entry.commit))
            if entry.position <= checkpoint.body["read_to"] and event.type in SENT
        ]
        for event in events:
            stored = deliveries.load_delivery(documents, endpoint_id, deliveries.key_of(event.as_json()))
            assert stored is not None, f"{event.id} has no delivery"
            assert stored.delivery.state is not DeliveryState.FAILED
            assert stored.delivery.state is not DeliveryState.DELIVERED or event.id in received
        assert received
