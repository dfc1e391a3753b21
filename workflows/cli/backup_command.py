"""``expediter backup`` and ``expediter restore``: copy an engine's folder while the engine runs, and use the copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.folder import ADDRESS, damaged
from workflows.cli.inputs import existing_folder
from workflows.cli.terminal import say


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command()(backup)
    app.command()(restore)


def backup(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="The engine's folder. An engine may run on it.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The copy: a folder that does not exist yet.")],
) -> None:
    """Copy the engine's folder, while the engine runs or not.

    The copy is the folder as it was at one moment. To use it: expediter restore TARGET NEW --erased LIST. It holds data
    keys and the secret of the access tokens, so keep it as safe as the folder itself. See docs/backup.md.
    """
    import apsw

    from workflows.embedded.checkpoint_folder import CHECKPOINTS
    from workflows.embedded.files import BACKUP_MARK, DATABASE, ERASED_KEYS
    from workflows.sqlite.backup import BackupRefused, back_up

    try:
        left_out = frozenset({ADDRESS, ERASED_KEYS})
        first = frozenset({CHECKPOINTS})
        back_up(existing_folder(data), target, log=DATABASE, mark=BACKUP_MARK, left_out=left_out, first=first)
    except BackupRefused as refused:
        raise InvalidInput(str(refused)) from None
    except apsw.BusyError:
        raise CommandRefused(f"{data} is locked by another program; try again") from None
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise damaged(data, error) from None
    except (apsw.Error, OSError) as error:
        raise CommandRefused(f"{data} could not be copied to {target}: {error}") from None
    say(f"copied to {target}; check it with: expediter audit verify --data {target}")


def restore(
    backup: Annotated[Path, typer.Argument(metavar="BACKUP", help="A copy that `backup` made.")],
    target: Annotated[Path, typer.Argument(metavar="DIR", help="The folder for the engine; must not exist yet.")],
    *,
    erased: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="LIST",
            help="Keys that were destroyed: the engine's folder, or a copy of its erased-keys.txt. Repeatable.",
        ),
    ] = None,
    without_list: Annotated[
        bool, typer.Option("--without-list", help="The list is lost: customers who were erased since are back.")
    ] = False,
) -> None:
    """Make a folder that an engine can run on from a backup, in which erased customers stay erased.

    The engine destroys the keys of the list again when it starts, before anything else runs, and records it. Stop the
    old engine first. See docs/backup.md.
    """
    from workflows.embedded.restoring import RestoreRefused
    from workflows.embedded.restoring import restore as restore_folder

    if bool(erased) == without_list:
        raise InvalidInput("give the list of destroyed keys with --erased, or --without-list if there is none")
    _check_source(existing_folder(backup, "expediter backup DIR"), target)
    try:
        keys = restore_folder(backup, target, erased or [])
    except RestoreRefused as refused:
        raise InvalidInput(str(refused)) from None
    except OSError as error:
        raise CommandRefused(f"{backup} could not be restored to {target}: {error}") from None
    say(f"restored to {target}, with a list of {keys} destroyed keys; start it with: expediter up --data {target}")


def _check_source(backup: Path, target: Path) -> None:
    """Check that the files of a backup can be copied, and that it stays as it is. Raises InvalidInput."""
    from workflows.embedded.files import DATABASE
    from workflows.sqlite.database import DatabaseInUse, check_unused

    if target.resolve().is_relative_to(backup.resolve()):
        raise InvalidInput(f"{target} is inside {backup}; choose a folder outside of it")
    try:
        check_unused(backup / DATABASE)
    except DatabaseInUse as error:
        by = f"process {error.pid}" if error.pid else "another process"
        raise InvalidInput(
            f"{backup} is the folder of a running engine ({by}), whose files change while they are copied; restore a "
            f"copy that expediter backup {backup} TARGET makes"
        ) from None
