"""``expediter backup``: copy an engine's folder while the engine runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.folder import ADDRESS, damaged
from workflows.cli.inputs import existing_folder
from workflows.cli.terminal import say


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(backup)


def backup(
    data: Annotated[Path, typer.Argument(metavar="DIR", help="The engine's folder. An engine may run on it.")],
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="The copy: a folder that does not exist yet.")],
) -> None:
    """Copy the engine's folder, while the engine runs or not.

    The copy is the folder as it was at one moment. To restore it, copy it to a new folder and start an engine there:
    cp -a TARGET NEW; expediter up --data NEW. It holds data keys and the secret of the access tokens, so keep it as
    safe as the folder itself. See docs/backup.md.
    """
    import apsw

    from workflows.embedded.files import DATABASE
    from workflows.sqlite.backup import BackupRefused, back_up

    try:
        back_up(existing_folder(data), target, log=DATABASE, left_out=frozenset({ADDRESS}))
    except BackupRefused as refused:
        raise InvalidInput(str(refused)) from None
    except apsw.BusyError:
        raise CommandRefused(f"{data} is locked by another program; try again") from None
    except (apsw.CorruptError, apsw.NotADBError) as error:
        raise damaged(data, error) from None
    except (apsw.Error, OSError) as error:
        raise CommandRefused(f"{data} could not be copied to {target}: {error}") from None
    say(f"copied to {target}; check it with: expediter audit verify --data {target}")
