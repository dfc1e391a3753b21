"""``expediter views``: list, rebuild and check the views of an engine's folder, while an engine runs on it or not.

``list`` can ask a running engine instead, on this machine or on AWS, and ``retry`` does.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from workflows.cli.failures import CommandRefused, Exit, InvalidInput
from workflows.cli.options import As, Data, Json, LocalData, Url
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.projections.rebuild import BuildProgress, RebuildFrom
    from workflows.projections.store import ViewStore
    from workflows.projections.summary import NumberedLog

app = typer.Typer(
    name="views", help="List, rebuild and check the views that lists and searches read.", no_args_is_help=True
)

Names = Annotated[list[str] | None, typer.Argument(metavar="VIEW...", help="Their names.  [default: all]")]


@app.command("list")
def list_(*, url: Url = None, data: Data = None, as_: As = None, json: Json = False) -> None:
    """List the views: version, rows, how far they are behind the log, and what is parked.

    With --data the folder is read, whether an engine runs on it or not; otherwise the engine at --url is asked. A view
    is outdated if its table was built by another release; a running engine then builds it again by itself.
    """
    if data is not None:
        summary = _summary(data)
    else:
        from workflows.cli.connection import connected

        with connected(url, None, as_) as engine:
            summary = dict(engine.views())
    if json:
        print_json(summary)
        return
    from workflows.cli.view_pages import show_views

    show_views(summary)


def _summary(data: Path) -> dict[str, Any]:
    from workflows.clock import SystemClock
    from workflows.embedded.view_builder import read_log
    from workflows.projections.progress import oldest_missing_s
    from workflows.projections.summary import summarize

    with _opened(data) as (store, _), read_log(data) as log:
        summary = summarize(store, log)
        summary["lag_s"] = round(oldest_missing_s(log, summary["position"], SystemClock()) or 0.0, 3)
    return summary


@app.command()
def rebuild(
    names: Names = None,
    *,
    data: LocalData,
    cores: Annotated[int | None, typer.Option(min=1, help="Processes to use.  [default: one for each core]")] = None,
) -> None:
    """Build views again from the log, while an engine runs or not.

    The old tables are read until the new ones are complete. A rebuild that was interrupted continues where it stopped.
    """
    from workflows.projections.rebuild import rebuild as rebuild_views
    from workflows.sql.database import HeldElsewhere

    with _opened(data) as (store, source):
        chosen = names or list(store.views)
        unknown = [name for name in chosen if name not in store.views]
        if unknown:
            raise InvalidInput(f"there is no view {unknown[0]!r}; the views are: {', '.join(sorted(store.views))}")
        try:
            with _progress() as show:
                rebuild_views(store, source, chosen, cores=cores, on_progress=show)
        except HeldElsewhere:
            raise CommandRefused("another process builds these views; wait until it is done") from None
        except KeyboardInterrupt:
            say("stopped: the same command continues from here")
            raise
    say(f"built again from the log: {', '.join(sorted(chosen))}")


@app.command()
def check(*, data: LocalData, json: Json = False) -> None:
    """Compare every row of the views with the log. Exit code 1 if some differ: rebuild those views.

    Beside a running engine, orders that change meanwhile are compared once the views have followed.
    """
    from workflows.cli.folder import address_of
    from workflows.cli.terminal import counting
    from workflows.embedded.view_builder import read_log
    from workflows.projections.check import check as check_views

    with (
        _opened(data) as (store, _),
        read_log(data) as log,
        counting("comparing stream {} ...") as count,
    ):
        follows = address_of(data) is not None
        found = check_views(store, log, count, wait_for_views=_ProjectorWait(store, log) if follows else lambda: False)
        behind = log.newest() - _position(store)
    differences = [
        {"view": each.view, "stream": each.stream, **({"day": each.day} if each.day else {})}
        for each in found.differences
    ]
    if json:
        print_json({"streams": found.streams, "differences": differences})
    else:
        for each in found.differences:
            what = f"the sums of {each.day}" if each.day else each.stream or "rows of streams that are not in the log"
            print(f"{each.view}  {what}")
        say(f"compared {found.streams} streams: {len(differences) or 'no'} differences")
        if differences and behind > 0:
            say(f"{behind} commits are still to be read by a running engine: streams in them differ until then")
    if differences:
        raise typer.Exit(Exit.NO)


@app.command()
def retry(
    stream: Annotated[str, typer.Argument(metavar="STREAM", help="A parked stream, as `views list` names it.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Compute the rows and store nothing.")] = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """Compute the rows of a parked stream again. Exit code 1 if a view still lacks it. For support."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        retried = engine.retry_view(stream, dry_run=dry_run)
    if json:
        print_json(retried)
    else:
        from workflows.cli.view_pages import show_retried

        show_retried(retried)
    if any(each["error"] for each in retried["views"]):
        raise typer.Exit(Exit.NO)


_STALLED_S, _LOOK_EVERY_S = 5.0, 0.1
"""How long a projector may store nothing before it counts as stopped, and how often its position is read."""


class _ProjectorWait:
    """Waits for the projector of a running engine to store what the log holds by now."""

    def __init__(self, store: ViewStore, log: NumberedLog) -> None:
        self._store = store
        self._log = log
        self._waited_for = -1

    def __call__(self) -> bool:
        """Return False if the log has not grown since the last call, or the views do not follow it for 5 s."""
        newest = self._log.newest()
        if newest == self._waited_for:
            return False
        self._waited_for = newest
        position, moved_s = _position(self._store), time.monotonic()
        while position < newest:
            if time.monotonic() > moved_s + _STALLED_S:
                return False
            time.sleep(_LOOK_EVERY_S)
            before, position = position, _position(self._store)
            moved_s = time.monotonic() if position > before else moved_s
        return True


def _position(store: ViewStore) -> int:
    """Return the position of the last commit that a projector has stored."""
    with store.reading() as connection:
        return store.as_of(connection).position


@contextmanager
def _opened(data: Path) -> Iterator[tuple[ViewStore, RebuildFrom]]:
    from workflows.boundary.private_files import SecretUnusable
    from workflows.cli.inputs import existing_folder
    from workflows.embedded.files import DATABASE
    from workflows.embedded.view_builder import opened_views
    from workflows.event_store.event_log import StreamUnavailable
    from workflows.sql.database import SqlUnavailable

    if not (existing_folder(data) / DATABASE).exists():
        raise InvalidInput(f"{data} is not the folder of an engine: it has no {DATABASE}")
    try:
        with opened_views(data) as opened:
            yield opened
    except SecretUnusable as error:
        raise InvalidInput(str(error)) from None
    except (SqlUnavailable, StreamUnavailable) as error:
        raise CommandRefused(str(error)) from None


@contextmanager
def _progress() -> Iterator[Any]:
    """Show how far a rebuild is, on a terminal only."""
    from workflows.cli.terminal import status_console

    console = status_console()
    if not console.is_terminal:
        yield lambda _: None
        return
    with console.status("reading the log ...") as status:

        def show(progress: BuildProgress) -> None:
            status.update(f"{progress.streams} streams, {100 * progress.shares // progress.of} % of the log ...")

        yield show
