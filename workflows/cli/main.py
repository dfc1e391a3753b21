"""The command ``expediter``. Commands live in modules of their own; what is heavy is imported by who needs it."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

import typer
from typer.exceptions import TyperException

from workflows.cli import (
    asl_commands,
    audit_commands,
    backup_command,
    circuit_commands,
    demo_command,
    engine_commands,
    failed_batch_commands,
    incident_commands,
    login_commands,
    order_commands,
    sandbox_command,
    simulate_command,
)
from workflows.cli.failures import CommandFailed, Exit
from workflows.cli.terminal import printable, say

_HELP = """Expediter runs online food orders: event-sourced, durable, on this machine or on AWS.

\b
Begin with
  expediter demo              25 orders played through a fresh engine
  expediter up --data DIR     an engine of your own

\b
Exit codes
  0    done
  1    the answer is no: problems were found, or the engine refused
  2    a flag, a value, a file or a folder that cannot be used
  3    no engine answers at the address
  4    no token, an expired one, or one of another engine
  70   a bug in Expediter
  130  interrupted
"""
_BUG = 70  # EX_SOFTWARE of sysexits.h

# Without rich's markup the help is plain text, and rich is not imported for it.
app = typer.Typer(
    name="expediter",
    help=_HELP,
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
engine_commands.add_to(app)
backup_command.add_to(app)
login_commands.add_to(app)
app.add_typer(order_commands.app)
app.add_typer(incident_commands.app)
app.add_typer(circuit_commands.app)
app.add_typer(audit_commands.app)
app.add_typer(failed_batch_commands.app)
app.add_typer(asl_commands.app)
demo_command.add_to(app)
sandbox_command.add_to(app)
simulate_command.add_to(app)


def main() -> None:
    """The entry point."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run a command and return its exit code. A ``CommandFailed`` is one line on stderr; a bug keeps its traceback."""
    try:
        code = app(args=list(arguments), prog_name="expediter", standalone_mode=False)
        sys.stdout.flush()
        return int(code or Exit.OK)
    except CommandFailed as failure:
        say(f"expediter: {printable(' '.join(str(failure).split()))}")
        return failure.code
    except TyperException as misuse:
        say(_misuse(misuse))
        return Exit.USAGE
    except (KeyboardInterrupt, typer.Abort):
        return Exit.INTERRUPTED
    except (BrokenPipeError, SystemExit):  # the reader has seen enough, e.g. `| head`; typer makes an exit of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except Exception:
        traceback.print_exc()
        say("expediter: this is a bug in Expediter; please report it with the lines above")
        return _BUG


def _misuse(misuse: TyperException) -> str:
    """One line, and where to read on; for a group of which no command was named, its help as it is."""
    context = getattr(misuse, "ctx", None)
    if context is not None and misuse.format_message() == context.get_help():
        return misuse.format_message()
    message = " ".join(misuse.format_message().split()).rstrip(".")
    return f"expediter: {message}; see {context.command_path if context else 'expediter'} --help"
