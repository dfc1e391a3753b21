"""``expediter up`` and ``expediter token``: run an engine on this machine, and print access tokens for it."""

from __future__ import annotations

import shlex
import signal
import threading
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from workflows.cli.failures import CommandFailed
from workflows.cli.folder import running_engine
from workflows.cli.inputs import existing_folder, new_folder, pairs
from workflows.cli.options import LocalData, Port, time_span
from workflows.cli.terminal import say

PORT = 8080
"""The default; 0 takes a free one."""

Role = Annotated[str, typer.Option(help="customer, restaurant, courier, support, auditor or service.")]


class LogLevel(StrEnum):
    """The values of ``--log-level``."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(up)
    app.command()(token)


def up(
    *,
    data: Annotated[
        Path,
        typer.Option(
            "--data",
            metavar="DIR",
            parser=new_folder,
            envvar="EXPEDITER_DATA",
            help="The engine's folder; made if missing.",
        ),
    ],
    port: Port = PORT,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=VALUE", help="A parameter of template.yaml, e.g. CourierAnswerSeconds=60. Repeatable."
        ),
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            envvar="EXPEDITER_CHECKPOINTS",
            help="Publish checkpoints of the log here, where the log's writers cannot write; in --data by default.",
        ),
    ] = None,
    demo_data: Annotated[
        bool, typer.Option("--demo-data", help="Register three restaurants with menus, to order from at once.")
    ] = False,
    erased_keys: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The list of destroyed keys, e.g. on another disk; DIR/erased-keys.txt by default."
        ),
    ] = None,
    archive_after: Annotated[
        timedelta | None,
        typer.Option(
            parser=time_span, metavar="TIME", help="Archive daily the orders that ended so long ago, e.g. 400d."
        ),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="The lowest level of log lines on stderr.")] = LogLevel.WARNING,
) -> None:
    """Run the API and the engine until Ctrl-C or SIGTERM. Orders under way continue at the next start.

    Payments, kitchens and couriers are simulated (the sandbox). For real ones, give --parameter PaymentsUrl=URL,
    KitchenUrl=URL and CouriersUrl=URL of services that speak docs/provider-api.yaml, and write their bearer tokens into
    DIR/providers.json: {"payments": "...", "kitchen": "...", "couriers": "..."}.
    """
    import logging

    from workflows.embedded.log_lines import write_log_lines

    write_log_lines(logging.getLevelNamesMapping()[log_level.upper()])
    parameters = pairs(parameter, "--parameter")
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    running = running_engine(
        data, parameters, port, erased_keys=erased_keys, checkpoints=checkpoints, archive_after=archive_after
    )
    with running as (engine, url):
        if demo_data:
            _open_restaurants(url, data)
        print(url, flush=True)
        for line in greeting(url, data):
            say(line)
        engine.failed.add_done_callback(lambda _: stopped.set())
        stopped.wait()
        if engine.failed.done():
            raise CommandFailed(f"the engine stopped: {engine.failed.exception()}")


def _open_restaurants(url: str, data: Path) -> None:
    from workflows.cli.connection import explained, minted
    from workflows.cli.demo_data import open_restaurants
    from workflows.client import ExpediterClient

    with explained(), ExpediterClient(url, minted(data, "service", "demo-data", _TOKEN_TTL_S)) as client:
        open_restaurants(client)


_TOKEN_TTL_S = 60  # registering takes less than a second


def greeting(url: str, data: Path) -> tuple[str, ...]:
    """Return the lines that ``up`` prints once it serves."""
    return (
        f"the web console: {url}/console (log in: expediter console --data {shlex.quote(str(data))})",
        f"the API's documentation: {url}/docs, {url}/openapi.json",
        f"a token: expediter token --role customer --id cus_1 --data {shlex.quote(str(data))}",
        "Ctrl-C stops it; orders under way continue at the next start",
    )


def token(
    *,
    role: Role,
    id_: Annotated[str, typer.Option("--id", help="The id of the caller, e.g. cus_1.")],
    data: LocalData,
    ttl: Annotated[
        int, typer.Option(min=1, max=31_536_000, metavar="SECONDS", help="How long the token is valid.")
    ] = 3600,
) -> None:
    """Print an access token for the engine of a folder."""
    from workflows.cli.connection import minted

    print(minted(existing_folder(data), role, id_, ttl))
