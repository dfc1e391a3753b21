"""``expediter asl serve``: a durable local Step Functions for boto3, the AWS CLI and every other SDK."""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from workflows.cli.failures import CommandFailed
from workflows.cli.folder import cannot_open
from workflows.cli.functions import Endpoint, finder, services_of
from workflows.cli.inputs import new_folder, pairs
from workflows.cli.options import Port
from workflows.cli.terminal import say


def serve(
    *,
    data: Annotated[
        Path, typer.Option("--data", metavar="DIR", parser=new_folder, help="The service's folder; made if missing.")
    ],
    port: Port = 0,
    function: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=TARGET",
            help="A function that machines call by this name, or the Resource of a service: MODULE:CALLABLE, or the "
            "address of a service that speaks Lambda's Invoke protocol. Repeatable.",
        ),
    ] = None,
    functions: Annotated[
        str | None,
        typer.Option(metavar="MODULE|URL", help="Where all other functions are: a Python module, or such an address."),
    ] = None,
    endpoint: Endpoint = None,
) -> None:
    """Serve Step Functions' own protocol until Ctrl-C or SIGTERM. Executions continue at the next start.

    Clients create machines of their own in JSONata. The address is printed: boto3 takes it as endpoint_url, the AWS CLI
    as --endpoint-url or AWS_ENDPOINT_URL_SFN. Every process on this machine that reaches it may use it.
    """
    import logging

    import apsw

    from workflows.asl.reading.definition import InvalidDefinition
    from workflows.embedded.http.server import PortTaken
    from workflows.embedded.local_step_functions import LocalStepFunctions
    from workflows.embedded.log_lines import write_log_lines
    from workflows.sqlite.database import DatabaseForeign, DatabaseInUse, DatabaseUnavailable

    write_log_lines(logging.WARNING)
    find = finder(pairs(function, "--function"), functions, services_of(endpoint))
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    try:
        service = LocalStepFunctions.open(data, find=find, port=port)
    except InvalidDefinition as invalid:
        raise CommandFailed(f"a stored machine cannot run: {invalid}") from None
    except (DatabaseInUse, DatabaseForeign, PortTaken) as error:
        raise CommandFailed(str(error)) from None
    except (apsw.Error, DatabaseUnavailable, OSError, MemoryError, RuntimeError) as error:
        raise cannot_open(data, error, "machines and executions") from error
    with service:
        print(service.url, flush=True)
        say(f"aws stepfunctions list-state-machines --endpoint-url {service.url}")
        say("Ctrl-C stops it; executions continue at the next start")
        service.failed.add_done_callback(lambda _: stopped.set())
        stopped.wait()
        if service.failed.done():
            raise CommandFailed(f"the service stopped: {service.failed.exception()}")
