"""The deployment that the tests of a run share, and how test workers use it.

The first worker starts ``serve.py``; later ones read its output. Each worker holds a shared lock on ``users.lock``
until its end, and the deployment ends with the last lock. So even a killed worker leaves nothing running.
"""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import SystemRandom
from typing import Any

from tests.deployment.deployer import Account
from tests.deployment.emulator import REPOSITORY
from workflows.clock import SystemClock
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import open_sandbox
from workflows.sandbox.payment import PaymentPosition
from workflows.sandbox.settings import SandboxSettings
from workflows.tracing import trace_of_xray

READY_WITHIN_S = 400.0
SANDBOX = "sandbox.sqlite"
"""The providers' ledgers, in the deployment's folder."""

CALLS = "calls.jsonl"
"""The paths and traces of the providers' calls, likewise."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Addresses and names. ``views`` is the URL of the views' database, empty if no PostgreSQL can run here.

    ``resources`` are physical ids by the template's logical ids, ``deleted`` those before the engine was deleted.
    ``under_way`` is an order that was placed before that, see ``drill.py``."""

    folder: str
    emulator: str
    step_functions: str
    sandbox: str
    views: str
    resources: Mapping[str, str]
    outputs: Mapping[str, str]
    deleted: Mapping[str, str]
    under_way: Mapping[str, str]

    @property
    def root(self) -> Account:
        """The root user, who may do everything."""
        return Account(url=self.emulator)

    def step_functions_client(self) -> Any:
        """Make boto3's client of the engine that runs the deployed machines."""
        return Account(url=self.step_functions).client("stepfunctions")

    def money_of(self, order_id: str) -> PaymentPosition | None:
        """Read an order's money from the payment provider's ledger."""
        here = Surroundings(clock=SystemClock(), random=SystemRandom())
        with closing(open_sandbox(Path(self.folder) / SANDBOX, SandboxSettings(), here, read_only=True)) as sandbox:
            return sandbox.payments.position(order_id)

    def provider_calls(self, trace: str) -> set[str]:
        """Return the paths of the providers' calls that carried a trace, in both headers."""
        calls = [json.loads(line) for line in (Path(self.folder) / CALLS).read_text().splitlines()]
        return {
            call["path"]
            for call in calls
            if call["traceparent"].split("-")[1:2] == [trace] and trace_of_xray(call["x-amzn-trace-id"]) == trace
        }

    @property
    def api(self) -> str:
        """The URL of the HTTP API."""
        return f"{self.emulator}/_aws/execute-api/{self.resources['ServerlessHttpApi']}/$default"


@contextmanager
def deployed(folder: Path) -> Iterator[Deployment]:
    """Use the run's deployment in ``folder``, which all workers share, until the end of the block."""
    folder.mkdir(exist_ok=True)
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT)
    try:
        with _only_one(folder / "start.lock"):
            fcntl.flock(users, fcntl.LOCK_SH)  # waits while an earlier deployment is shutting down
            output = _running(folder) or _started(folder)
        yield Deployment(**json.loads(output))
    finally:
        os.close(users)


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    held = os.open(lock, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)


def _running(folder: Path) -> str | None:
    """Read the output of the deployment if it runs, which means that it holds ``server.lock``."""
    file = folder / "deployment.json"
    with suppress(FileNotFoundError), open(folder / "server.lock") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read_text()
    return None


def _started(folder: Path) -> str:
    lock = os.open(folder / "server.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)  # the server inherits the lock and releases it when it ends
    with open(folder / "serve.log", "ab") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "tests.deployment.serve", folder],
            cwd=REPOSITORY,
            stdout=subprocess.PIPE,
            stderr=log,
            pass_fds=[lock],
            start_new_session=True,
            text=True,
        )
    os.close(lock)
    assert server.stdout is not None
    impatience = threading.Timer(READY_WITHIN_S, server.terminate)
    impatience.start()
    output = server.stdout.readline()
    impatience.cancel()
    server.stdout.close()
    assert output, f"no deployment; its log ends with:\n{(folder / 'serve.log').read_text()[-4000:]}"
    (folder / "deployment.json").write_text(output)
    return output
