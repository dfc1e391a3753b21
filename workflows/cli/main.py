"""The command ``expediter``. Each group of commands is a module; heavy modules are imported when they are needed."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from copy import copy
from functools import cache
from typing import Annotated

import typer
from typer.core import TyperGroup
from typer.exceptions import TyperException
from typer.main import get_command, get_command_name
from typer.models import CommandInfo, TyperInfo

from workflows.boundary.child_python import keep_children_out_of_the_working_folder
from workflows.cli import (
    archive_command,
    asl_commands,
    audit_commands,
    backup_command,
    books_commands,
    bulk_command,
    circuit_commands,
    console_command,
    customer_commands,
    demo_command,
    doctor_command,
    drill_command,
    engine_commands,
    export_commands,
    failed_batch_commands,
    fulfilment_commands,
    incident_commands,
    live_commands,
    login_commands,
    menu_commands,
    order_commands,
    owed_command,
    query_command,
    repair_commands,
    restaurant_commands,
    sandbox_command,
    search_commands,
    simulate_command,
    timeline_commands,
    view_commands,
    webhook_commands,
)
from workflows.cli.failures import CommandFailed, Exit
from workflows.cli.misuse import explained
from workflows.cli.terminal import print_json_line, printable, say

_HELP = """Expediter runs online food orders: event-sourced, durable, on this machine or on AWS.

\b
Begin with
  expediter demo              play 25 orders through a new engine
  expediter up --data DIR     run an engine of your own
  expediter console --data DIR  see its orders in a browser

\b
Environment
  EXPEDITER_DATA   the folder of your engine, instead of --data DIR
  EXPEDITER_URL    the address of an engine, instead of --url URL
  EXPEDITER_TOKEN  an access token for that address

\b
Exit codes
  0    done
  1    refused, not finished, or problems were found
  2    an option, a value, a file or a folder that cannot be used
  3    no engine answers at the address
  4    no token, an expired one, or one of another engine
  70   a bug in Expediter
  130  interrupted
With --json an error is one JSON object, the last line of stderr.
"""

_HELP_WIDTH_MAX = 160
"""Columns. The longest summary of a command fits beside its name."""

# Without rich's markup the help is plain text, and rich is not imported for it.
app = typer.Typer(
    name="expediter",
    help=_HELP,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": _HELP_WIDTH_MAX},
)
engine_commands.add_to(app)
backup_command.add_to(app)
archive_command.add_to(app)
doctor_command.add_to(app)
login_commands.add_to(app)
console_command.add_to(app)
fulfilment_commands.add_to(order_commands.app)
repair_commands.add_to(order_commands.app)
timeline_commands.add_to(order_commands.app)
live_commands.add_to(app, order_commands.app)
search_commands.add_to(app, order_commands.app)
app.command()(owed_command.owed)
app.command()(bulk_command.bulk)
app.add_typer(order_commands.app)
app.add_typer(restaurant_commands.app)
app.add_typer(menu_commands.app)
app.add_typer(books_commands.app)
app.add_typer(incident_commands.app)
app.add_typer(circuit_commands.app)
app.add_typer(customer_commands.app)
app.add_typer(webhook_commands.app)
query_command.add_to(audit_commands.app)
export_commands.add_to(audit_commands.app)
app.add_typer(audit_commands.app)
app.add_typer(view_commands.app)
app.add_typer(failed_batch_commands.app)
app.add_typer(asl_commands.app)
demo_command.add_to(app)
sandbox_command.add_to(app)
simulate_command.add_to(app)


def _print_version(requested: bool) -> None:
    if requested:
        from importlib.metadata import version

        print(f"expediter {version('expediter')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of all commands."""


def main() -> None:
    """Run the command line of this process."""
    keep_children_out_of_the_working_folder()
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. An error is one line on stderr; a bug keeps its traceback."""
    as_json = "--json" in arguments
    try:
        parser = parser_of(arguments[0] if arguments else "")
        code = parser(args=list(arguments), prog_name="expediter", standalone_mode=False)
        sys.stdout.flush()
        return int(code or Exit.OK)
    except CommandFailed as failure:
        _print_failure(failure, as_json)
        return failure.code
    except TyperException as misuse:
        if _is_help(misuse):  # of a group without a command
            say(misuse.format_message())
        else:
            _print_failure(explained(misuse, arguments, lambda: parser_of("")), as_json)
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the reader closed the pipe, e.g. `| head`; typer exits on it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except MemoryError:
        say("expediter: there is not enough memory; see ulimit -v")
        return Exit.NO
    except Exception:
        traceback.print_exc()
        say("expediter: this is a bug in Expediter; please report it with the lines above")
        return Exit.BUG


@cache
def parser_of(first: str) -> TyperGroup:
    """Build the parser of one command or group by its name, else of all. All take 0.2 s of CPU.

    Args:
        first: The first argument: a name, an option, or anything that was mistyped.
    """
    named = copy(app)
    named.registered_commands = [command for command in app.registered_commands if _name_of(command) == first]
    named.registered_groups = [group for group in app.registered_groups if _name_of(group) == first]
    parser = get_command(named if named.registered_commands or named.registered_groups else app)
    assert isinstance(parser, TyperGroup)  # because of the options of all commands
    return parser


def _name_of(registered: CommandInfo | TyperInfo) -> str | None:
    if isinstance(registered, CommandInfo):
        assert registered.callback is not None
        return registered.name or get_command_name(registered.callback.__name__)
    assert registered.typer_instance is not None
    return registered.typer_instance.info.name


def _print_failure(failure: CommandFailed, as_json: bool) -> None:
    message = " ".join(str(failure).split())
    if as_json:
        print_json_line({"error": message, "exit_code": int(failure.code), **failure.details})
    else:
        say(f"expediter: {printable(message)}")


def _is_help(misuse: TyperException) -> bool:
    context = getattr(misuse, "ctx", None)
    return context is not None and misuse.format_message() == context.get_help()


drill_command.add_to(app, run)
