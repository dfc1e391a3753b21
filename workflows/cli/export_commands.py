"""``expediter audit export`` and ``open``: events as files, and what is in a file, without an engine."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.checkpoint_commands import verifier_key
from workflows.cli.event_filters import (
    Correlation,
    EventTypes,
    OfOrder,
    PeopleOnly,
    RecordedBy,
    RecordedByRole,
    RecordedFrom,
    RecordedTo,
)
from workflows.cli.failures import CommandRefused, Exit, InvalidInput
from workflows.cli.inputs import read_text, time_if_given
from workflows.cli.options import AsOf, Data, Json, Url
from workflows.cli.order_filters import Customer, Restaurant
from workflows.cli.query_command import AsAuditor, show_rows
from workflows.cli.terminal import counting, print_json, say

if TYPE_CHECKING:
    from datetime import datetime

    from workflows.client import ExpediterClient
    from workflows.client.export_json import ExportJson
    from workflows.exports.manifest import Manifest

_LOOK_EVERY_S = 0.2
_FORMATS = ("jsonl", "csv", "parquet")


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(export)
    app.command("open")(open_export)


def export(
    *,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Written when it is complete.")],
    format_: Annotated[
        str | None,
        typer.Option("--format", metavar="FORMAT", help="jsonl, csv or parquet.  [default: by the file's name]"),
    ] = None,
    type_: EventTypes = None,
    actor: RecordedBy = None,
    actor_role: RecordedByRole = None,
    order: OfOrder = None,
    customer: Customer = None,
    restaurant: Restaurant = None,
    recorded_from: RecordedFrom = None,
    recorded_to: RecordedTo = None,
    correlation: Correlation = None,
    people_only: PeopleOnly = False,
    as_of: AsOf = None,
    url: Url = None,
    data: Data = None,
    as_: AsAuditor = None,
    json: Json = False,
) -> None:
    """Export events to a file, and its signed manifest to FILE.manifest. For auditors, and recorded.

    Nothing personal is in it. expediter audit open checks and reads it without an engine.
    """
    from workflows.cli.connection import as_auditor, connected
    from workflows.cli.export_files import download, manifest_file

    wanted = {
        "type": type_,
        "actor": actor,
        "actor_role": actor_role,
        "order": order,
        "customer": customer,
        "restaurant": restaurant,
        "recorded_from": _text(time_if_given(recorded_from, "--from")),
        "recorded_to": _text(time_if_given(recorded_to, "--to")),
        "correlation": correlation,
        "people_only": people_only or None,
    }
    given = {name: value for name, value in wanted.items() if value is not None}
    format_ = _format(format_, output)
    if not output.parent.is_dir():
        raise InvalidInput(f"there is no folder {output.parent}")
    with connected(url, data, as_auditor(as_)) as engine:
        begun = engine.create_export(given, format=format_, as_of=time_if_given(as_of, "--as-of"))
        made = _awaited(engine, begun)
        with counting("downloading byte {} ...") as progress:
            download(engine, made, output, progress)
    if json:
        print_json({**made, "file": str(output), "manifest_file": str(manifest_file(output))})
    else:
        say(f"{made['rows']} events, {made['bytes']} bytes in {output}; its manifest is {manifest_file(output)}")


def _format(named: str | None, output: Path) -> str:
    format_ = named or output.suffix.removeprefix(".").lower()
    if format_ not in _FORMATS:
        raise InvalidInput(f"--format is {format_!r}: give one of {', '.join(_FORMATS)}")
    return format_


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _awaited(engine: ExpediterClient, export: ExportJson) -> ExportJson:
    """Wait until the engine has made an export. Raises CommandRefused."""
    with counting("exporting event {} ...") as progress:
        while export["state"] == "running":
            progress(export["rows"])
            time.sleep(_LOOK_EVERY_S)
            export = engine.export(export["id"])
    if export["state"] == "failed":
        raise CommandRefused(f"the export failed: {export['error']}")
    return export


def open_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="An export; its manifest is FILE.manifest.")],
    *,
    sql: Annotated[
        str | None, typer.Option(metavar="SQL", help="Query its relation events, as expediter audit query does.")
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="KEY",
            help="The engine's key, name+id+key, as in its checkpoints. Without it no signature is checked.",
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="The most rows to print.")] = 20,
    json: Json = False,
) -> int:
    """Check an export against its manifest, without an engine, and list its events or query them.

    A file that was changed is refused with the place. Exit code 1.
    """
    from workflows.queries.refusals import QueryRefused, QueryTooLarge
    from workflows.queries.sqlite import query_file

    statement = sql or "SELECT recorded_at, order_id, version, type, actor_role, actor_id FROM events"
    with _checked(file, key) as (manifest, database):
        try:
            table = query_file(database, statement, limit=limit)
        except (QueryRefused, QueryTooLarge) as refused:
            raise CommandRefused(str(refused)) from None
    if json:
        facts = {"id": manifest.id, "filter": manifest.filter, "as_of": manifest.as_of, "rows": manifest.rows}
        checked = {"sha256": manifest.sha256, "signature": "valid" if key else "not checked"}
        print_json({**facts, **checked, "columns": table.columns, "result": table.rows, "truncated": table.truncated})
        return Exit.OK
    show_rows(table.columns, table.rows)
    signature = "its signature is valid" if key else "its signature was not checked: name the engine's key with --key"
    say(f"{manifest.rows} events until {manifest.as_of}; the file is the one of its manifest, and {signature}")
    return Exit.OK


@contextmanager
def _checked(file: Path, key: str | None) -> Iterator[tuple[Manifest, Path]]:
    """Yield the manifest of a file, and a database with its events. Raises CommandRefused."""
    from workflows.audit.exports import ExportRefused
    from workflows.audit.signed_notes import NoteRefused
    from workflows.cli.export_files import manifest_file
    from workflows.exports.manifest import FileAltered, ManifestRefused
    from workflows.exports.opening import opened, read_manifest

    note = read_text(str(manifest_file(file)))
    verifier = None if key is None else verifier_key(key)
    try:
        manifest = read_manifest(note, verifier)
        with opened(file, manifest) as database:
            yield manifest, database
    except (NoteRefused, ManifestRefused) as refused:
        raise CommandRefused(f"{manifest_file(file)}: {refused}") from None
    except (FileAltered, ExportRefused) as refused:
        raise CommandRefused(f"{file}: {refused}") from None
    except OSError as error:
        raise InvalidInput(f"{file} cannot be read: {error.strerror}") from None
