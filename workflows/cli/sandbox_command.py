"""``expediter sandbox``: simulated providers as a service, for a deployed engine that has no real ones yet."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import InvalidInput
from workflows.cli.inputs import new_folder
from workflows.cli.options import Port
from workflows.cli.terminal import say

if TYPE_CHECKING:
    from workflows.sandbox.opening import Sandbox

PORT = 8090
"""The default, beside the engine's 8080; 0 takes a free one."""


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(sandbox)


def sandbox(
    *,
    data: Annotated[
        Path,
        typer.Option("--data", metavar="DIR", parser=new_folder, help="The folder of its ledgers; made if missing."),
    ],
    port: Port = PORT,
) -> None:
    """Serve simulated payments, kitchens and couriers until Ctrl-C or SIGTERM.

    They speak the provider protocol, docs/provider-api.yaml. Callers send the bearer token of EXPEDITER_SANDBOX_TOKEN,
    or, if that is not set, of DIR/sandbox.token.
    """
    from workflows.embedded.http.server import HttpServer, PortTaken
    from workflows.sandbox.api import SandboxApi

    with (
        closing(_opened(data)) as counterparties,
        closing(SandboxApi(counterparties, _token(data))) as api,
    ):
        try:
            server = HttpServer(api.app, port)
        except PortTaken as taken:
            raise InvalidInput(f"{taken}, e.g. --port 0 for a free one") from None
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with closing(server):
            url = f"http://127.0.0.1:{server.port}"
            print(url, flush=True)
            say(f"PaymentsUrl={url}/payments KitchenUrl={url}/kitchen CouriersUrl={url}/couriers")
            say("Ctrl-C stops it; its ledgers stay")
            stopped.wait()


def _token(data: Path) -> str:
    from workflows.sandbox.api import SandboxTokenUnusable, token_of

    try:
        return token_of(data, os.environ)
    except SandboxTokenUnusable as error:
        raise InvalidInput(str(error)) from None
    except OSError as error:
        raise InvalidInput(f"{data} cannot hold the sandbox's token: {error.strerror}") from None


def _opened(data: Path) -> Sandbox:
    from random import SystemRandom

    import apsw

    from workflows.cli.folder import cannot_open
    from workflows.clock import SystemClock
    from workflows.sandbox.counterparty import Surroundings
    from workflows.sandbox.opening import SANDBOX, open_sandbox
    from workflows.sandbox.settings import read_sandbox
    from workflows.settings import SettingsRefused, read
    from workflows.sqlite.database import DatabaseForeign, DatabaseInUse, DatabaseUnavailable

    try:
        settings = read(os.environ, read_sandbox)
        data.mkdir(parents=True, exist_ok=True)
        return open_sandbox(data / SANDBOX, settings, Surroundings(clock=SystemClock(), random=SystemRandom()))
    except (DatabaseForeign, DatabaseInUse, SettingsRefused) as error:
        raise InvalidInput(str(error)) from None
    except (apsw.Error, DatabaseUnavailable, OSError, MemoryError, RuntimeError) as error:
        raise cannot_open(data, error, "the sandbox's ledgers") from error
