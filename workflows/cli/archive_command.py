"""``expediter archive``: move orders that ended long ago out of the database of a stopped engine."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.inputs import existing_folder
from workflows.cli.options import Json, LocalData, time_span
from workflows.cli.terminal import print_json, say


def add_to(app: typer.Typer) -> None:
    """Register the command."""
    app.command()(archive)


def archive(
    data: LocalData,
    older_than: Annotated[
        timedelta, typer.Option(parser=time_span, metavar="TIME", help="Since the last change of an order, e.g. 400d.")
    ],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only count the orders.")] = False,
    json: Json = False,
) -> None:
    """Move the content of orders that ended long ago into DIR/archive, and make the database smaller.

    The orders stay readable everywhere. It needs a stopped engine and free space of the size of the database; a running
    engine does it daily with expediter up --archive-after TIME, without making the file smaller.
    """
    import apsw

    from workflows.archive.archiving import archive_orders
    from workflows.clock import SystemClock
    from workflows.embedded.files import DATABASE
    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.event_log import StreamUnavailable
    from workflows.event_store.keyring import NoKeys
    from workflows.event_store.segments import SegmentDamaged
    from workflows.sqlite.database import Database, DatabaseInUse, DatabaseUnavailable
    from workflows.sqlite.event_log import SqliteEventLog

    file = existing_folder(data) / DATABASE
    if not file.is_file():
        raise InvalidInput(f"{data} is not the folder of an engine: it has no {DATABASE}")
    size_before = file.stat().st_size
    try:
        with Database(file) as database:
            clock = SystemClock()
            log = SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), clock)
            done = archive_orders(log, log.segments, clock.now() - older_than, dry_run=dry_run)
        if done.commits and not dry_run:
            connection = apsw.Connection(str(file))
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            connection.close()
    except DatabaseInUse as error:
        raise InvalidInput(f"{error}; or let it archive by itself: expediter up --archive-after TIME") from None
    except (apsw.Error, DatabaseUnavailable, StreamUnavailable, OSError, SegmentDamaged) as error:
        raise CommandRefused(f"{data} was archived in part, and nothing is lost: {error}") from None
    size_after = file.stat().st_size
    if json:
        shape = {"orders": done.orders, "commits": done.commits, "segments": done.segments, "kept": done.kept}
        print_json({**shape, "database_bytes_before": size_before, "database_bytes_after": size_after})
        return
    verb = "would be archived" if dry_run else "archived"
    say(
        f"{done.orders} orders with {done.commits} commits {verb}; {done.kept} old ones are open, owe something or fail"
    )
    if not dry_run:
        say(f"the database had {size_before / 1e6:.1f} MB and has {size_after / 1e6:.1f} MB")
