"""``expediter audit``: verify that nothing in the log was changed, in a folder beside its engine or in DynamoDB.

It only reads. On AWS it reads without customers' keys, so that no personal data can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from workflows.cli import checkpoint_commands
from workflows.cli.checkpoint_commands import audited, places_of
from workflows.cli.engine_audit import verified_by_engine
from workflows.cli.failures import CommandRefused, Exit, InvalidInput, Unreachable
from workflows.cli.inputs import read_json, read_text
from workflows.cli.options import JsonObject, Region, Url, local_folder
from workflows.cli.terminal import counting, print_json, printable, say

if TYPE_CHECKING:
    from workflows.audit.findings import PublishedHeads, Report
    from workflows.event_store.event_log import EventLog

app = typer.Typer(name="audit", help="Verify that nothing in the log was changed.", no_args_is_help=True)

checkpoint_commands.add_to(app)

Data = Annotated[
    Path | None,
    typer.Option(
        "--data",
        metavar="DIR",
        envvar="EXPEDITER_DATA",
        callback=local_folder,
        help="The folder of an engine; it may be running.",
    ),
]
MARGIN = timedelta(minutes=1)
"""How far a scan and the clocks of writers may lag: streams that began later may be missing from exported heads."""

Table = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The events table of a deployed stack. All of it is read, with your AWS credentials."
    ),
]

Archive = Annotated[
    str | None,
    typer.Option(metavar="BUCKET", help="With --table: the bucket of the stack's archive, if orders were archived."),
]


@app.command()
def verify(
    *,
    data: Data = None,
    table: Table = None,
    archive: Archive = None,
    region: Region = None,
    heads: Annotated[
        str | None, typer.Option(metavar="FILE", help="Heads exported before, to find a chain that was recomputed.")
    ] = None,
    checkpoints: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PLACE",
            help="A folder of checkpoints or s3://BUCKET; a second one, e.g. an auditor's copy, is compared with it.  "
            "[default: that of --data]",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="KEY", help="The key that signs checkpoints, name+id+key, as you know it.")
    ] = None,
    url: Url = None,
    json: JsonObject = False,
) -> int:
    """Verify the hash chain of every stream, and with --data also customers' keys, executions and the sandbox's ledger.

    With --url, and neither --data nor --table, the engine verifies its log against its checkpoints itself. Each finding
    names a stream and a version. Exit code 1 if there is one. docs/audit.md lists what each check finds.
    """
    if url is not None and data is None and table is None:
        return _show(verified_by_engine(url, heads or checkpoints or key), "of its checkpoints", json=json)
    published = None if heads is None else _read_heads(heads)
    places = checkpoints or (places_of(data) if data and not table else [])
    if key is not None and not places:
        raise InvalidInput("--key needs checkpoints: give --checkpoints, or let the engine make one")
    audit = audited(places, key, region) if places else None
    if audit is not None:
        published = audit.published if published is None else published.joined(audit.published)
    if data and not table and not archive:
        report = _verified_folder(data, published)
    else:
        report = _verified_log(data, _Deployed(table, archive, region), published)
    if audit is not None:
        report = replace(report, findings=(*audit.findings, *report.findings))
    of = f"of {audit.checkpoints} checkpoints in {places[0]}" if audit is not None else ""
    return _show(report, of if published is not None else None, json=json)


def _show(report: Report, heads_of: str | None, *, json: bool) -> int:
    """Print a report. ``heads_of``: where the published heads are from; None if there were none to compare with."""
    findings = [{"stream": f.stream, "version": f.version, "what": f.what} for f in report.findings]
    if json:
        counted = ("streams", "commits", "events", "opaque", "heads")
        counts = {name: getattr(report, name) for name in counted}
        print_json({"intact": report.intact, **counts, "findings": findings})
    else:
        for finding in findings:
            print(printable(f"{finding['stream']} version {finding['version']}: {finding['what']}"))
        compared = f", compared with {report.heads} published heads {heads_of}".rstrip() if heads_of is not None else ""
        opaque = f" ({report.opaque} of types that this version does not know)" if report.opaque else ""
        walked = f"{report.streams} streams, {report.commits} commits, {report.events} events{opaque}{compared}"
        say(f"{'intact' if report.intact else f'{len(findings)} broken'}: {walked}")
    return Exit.OK if report.intact else Exit.NO


def _verified_folder(data: Path, published: PublishedHeads | None) -> Report:
    from workflows.cli.folder import open_database
    from workflows.cli.folder_audit import audit_folder

    with open_database(data) as database, counting("verifying stream {} ...") as progress:
        return audit_folder(database, data, published, progress)


def _verified_log(data: Path | None, deployed: _Deployed, published: PublishedHeads | None) -> Report:
    from workflows.audit import verify as audit

    with _log(data, deployed) as log, counting("verifying stream {} ...") as progress:
        return audit.verify(log, published=published, progress=progress)


@app.command()
def heads(*, data: Data = None, table: Table = None, archive: Archive = None, region: Region = None) -> None:
    """Print the head of every stream as JSON. Keep it where writers of the log cannot write."""
    from workflows.audit import verify as audit
    from workflows.clock import SystemClock, timestamp
    from workflows.event_store.commits import ChainBroken

    complete_at = timestamp(SystemClock().now() - MARGIN)
    with _log(data, _Deployed(table, archive, region)) as log:
        try:
            listed = [
                {"stream": head.stream, "version": head.version, "hash": head.hash.hex(), "complete_at": complete_at}
                for head in audit.heads(log)
            ]
        except ChainBroken as broken:
            where = f"--data {data}" if data else f"--table {table}"
            raise CommandRefused(f"{broken}; a broken chain has no head: see expediter audit verify {where}") from None
    print_json(listed)


def _read_heads(file: str) -> PublishedHeads:
    from workflows.audit.findings import Head, PublishedHeads

    listed = read_json(read_text(file), file)
    try:
        heads = [Head(str(each["stream"]), int(each["version"]), bytes.fromhex(each["hash"])) for each in listed]
        complete_at = min((str(each.get("complete_at", "")) for each in listed), default="")
    except (TypeError, KeyError, ValueError, AttributeError):
        heads = []
    if not heads:  # comparing with no heads would always succeed
        raise InvalidInput(f"{file} holds no heads; expediter audit heads prints them")
    return PublishedHeads.of(heads, complete_at)


class _Deployed(NamedTuple):
    """The options that name a log on AWS."""

    table: str | None
    archive: str | None
    region: str | None


@contextmanager
def _log(data: Path | None, deployed: _Deployed) -> Iterator[EventLog]:
    """Open the log that the options name. Raises InvalidInput, Unreachable, AccessDenied."""
    if (data is None) == (deployed.table is None):
        raise InvalidInput("name the log: --data DIR of an engine here, or --table NAME of one on AWS")
    if deployed.archive is not None and deployed.table is None:
        raise InvalidInput("--archive is the archive of a --table; that of --data is in its folder")
    if data is not None:
        from workflows.cli.folder import open_log

        with open_log(data) as log:
            yield log
    else:
        with _deployed_log(deployed.table or "", deployed.archive, deployed.region) as log:
            yield log


@contextmanager
def _deployed_log(table: str, archive: str | None, region: str | None) -> Iterator[EventLog]:
    from workflows.aws.archive import S3Segments
    from workflows.aws.event_log import DynamoDbEventLog
    from workflows.cli.aws import client, explained
    from workflows.clock import SystemClock
    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.event_log import StreamUnavailable
    from workflows.event_store.keyring import NoKeys
    from workflows.event_store.segments import SegmentsUnavailable

    with explained(f"the table {table}" if archive is None else f"the table {table} with the bucket {archive}"):
        segments = None if archive is None else S3Segments(client("s3", region), archive)
        codec = Codec(NoKeys(), EVENT_TYPES)
        try:
            yield DynamoDbEventLog(client("dynamodb", region), table, codec, SystemClock(), segments)
        except StreamUnavailable as unavailable:
            if archive is None and isinstance(unavailable.__cause__, SegmentsUnavailable):
                raise InvalidInput(f"orders of the table {table} are archived: add --archive <ArchiveBucket>") from None
            raise Unreachable(f"the table {table} does not answer: {unavailable}; try again") from None
        except (KeyError, UnicodeDecodeError):
            raise InvalidInput(f"the table {table} is not an event log") from None
