"""``python -m tests.deployment.serve FOLDER``: a deployment of Expediter for a test run.

One process for all workers of the run: MiniStack, the sandbox as the providers, the built template deployed to
MiniStack with the addresses of the sandbox, and Step Functions. It prints one line of JSON when it is ready (see
``deployment.Deployment``), and ends when no worker holds a shared lock on FOLDER/users.lock.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from random import SystemRandom
from secrets import token_hex
from tempfile import TemporaryDirectory

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.deployment.artifact import code_for_this_machine
from tests.deployment.deployer import BAD_CODE, Account, Stack, delete_engine, make_deploy, upload
from tests.deployment.deployment import CALLS, SANDBOX, Deployment
from tests.deployment.drill import order_under_way, refused
from tests.deployment.emulator import emulator, free_port
from tests.deployment.step_functions import driving
from tests.memory_folder import memory_folder
from tests.sql.postgres import NoPostgres, postgres_server
from workflows.clock import SystemClock
from workflows.embedded.http.server import HttpServer
from workflows.sandbox.api import SandboxApi
from workflows.sandbox.counterparty import Surroundings
from workflows.sandbox.opening import open_sandbox
from workflows.sandbox.settings import SandboxSettings

TOKEN = "what-the-sandbox-asks-to-see"

WORKERS_BYTES = 10e9
"""What the emulator's workers unpack: 190 MB for each, twice that for some seconds, and up to forty of them."""


def main(folder: Path) -> None:
    """Serve until no worker holds the lock."""
    with ExitStack() as opened:
        sandbox = opened.enter_context(_sandbox(folder))
        scratch = Path(
            opened.enter_context(TemporaryDirectory(dir=memory_folder(WORKERS_BYTES), ignore_cleanup_errors=True))
        )
        step_functions_port = free_port()
        step_functions = f"http://127.0.0.1:{step_functions_port}"
        account = Account(url=opened.enter_context(emulator(folder, scratch)))
        parameters = {f"{name}Url": f"{sandbox}/{name.lower()}" for name in ("Payments", "Kitchen", "Couriers")}
        parameters["WebhookTargets"] = "any"  # receivers of tests are on this machine
        views = opened.enter_context(_views_database())
        parameters["ViewsSecret"] = _views_secret(account, views)
        name = f"expediter-{token_hex(3)}"  # an emulator that outlives a run has the stacks of other runs
        places = {"folder": str(folder), "emulator": account.url, "step_functions": step_functions, "sandbox": sandbox}

        def at(stack: Stack) -> Deployment:
            made = {"resources": stack.resources, "outputs": stack.outputs}
            return Deployment(**places, **made, views=views, deleted={}, under_way={})

        upload(account, code_for_this_machine())
        deleted = make_deploy(account, name, parameters, step_functions=step_functions)
        _store_credentials(account, deleted.resources["SagaStep"])
        with driving(account, deleted, folder / "deleted.sqlite", step_functions_port):
            order = order_under_way(at(deleted))
        delete_engine(account, name)
        stack = make_deploy(account, name, parameters, step_functions=step_functions, code=BAD_CODE)
        _store_credentials(account, stack.resources["SagaStep"])
        opened.enter_context(driving(account, stack, folder / "executions.sqlite", step_functions_port))
        under_way = order | {"accept": refused(at(stack), order)}
        restored = _restored(account, stack.outputs["EventsTable"], f"{name}-Events-restored")
        # Two drills at once: the former commit is deployed again, and the log is the restored one.
        stack = make_deploy(account, name, {"RestoredEvents": restored}, step_functions=step_functions)
        print(json.dumps(asdict(replace(at(stack), deleted=deleted.resources, under_way=under_way))))
        sys.stdout.flush()
        _wait_until_nobody_uses(folder)


@contextmanager
def _sandbox(folder: Path) -> Iterator[str]:
    """Run the providers on 127.0.0.1."""
    surroundings = Surroundings(clock=SystemClock(), random=SystemRandom())
    with closing(open_sandbox(folder / SANDBOX, SandboxSettings(), surroundings)) as sandbox:  # noqa: SIM117
        with (
            closing(SandboxApi(sandbox, TOKEN)) as api,
            closing(HttpServer(RecordedCalls(api.app, folder / CALLS), 0)) as server,
        ):
            yield f"http://127.0.0.1:{server.port}"


class RecordedCalls:
    """Writes the path and the headers of a trace of each call of a provider to a file, one line of JSON a call."""

    def __init__(self, app: ASGIApp, file: Path) -> None:
        self._app, self._file = app, file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            traced = {name: headers.get(name, "") for name in ("traceparent", "x-amzn-trace-id")}
            with self._file.open("a") as calls:
                calls.write(json.dumps({"path": scope["path"], **traced}) + "\n")
        await self._app(scope, receive, send)


@contextmanager
def _views_database() -> Iterator[str]:
    """Run PostgreSQL and yield the URL of an empty database; empty if none can run on this machine."""
    try:
        with postgres_server() as server:
            yield server.new_database()
    except NoPostgres:
        yield ""


def _views_secret(account: Account, url: str) -> str:
    """Create the secret of the views, as an operator does before the deployment, and return its ARN."""
    value = {"url": url or "postgresql://nobody@127.0.0.1:1/nothing", "blind_index_key": "0b" * 32}
    secrets = account.client("secretsmanager")
    arn: str = secrets.create_secret(Name=f"views-{token_hex(3)}", SecretString=json.dumps(value))["ARN"]
    return arn


def _restored(account: Account, table: str, name: str) -> str:
    """Restore the log to a table of another name, as an operator does after a disaster, and return its name."""
    dynamodb = account.client("dynamodb")
    dynamodb.restore_table_to_point_in_time(SourceTableName=table, TargetTableName=name, UseLatestRestorableTime=True)
    dynamodb.get_waiter("table_exists").wait(TableName=name)
    return name


def _store_credentials(account: Account, saga_step: str) -> None:
    """Store the providers' credentials, as an operator does after the first deployment."""
    function = account.client("lambda").get_function_configuration(FunctionName=saga_step)
    secret = function["Environment"]["Variables"]["PROVIDERS_SECRET"]
    tokens = dict.fromkeys(("payments", "kitchen", "couriers"), TOKEN)
    account.client("secretsmanager").put_secret_value(SecretId=secret, SecretString=json.dumps(tokens))


def _wait_until_nobody_uses(folder: Path) -> None:
    users = os.open(folder / "users.lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(users, fcntl.LOCK_EX)  # granted when the last worker is gone, even if it was killed


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # so that every "with" block ends
    main(Path(sys.argv[1]))
