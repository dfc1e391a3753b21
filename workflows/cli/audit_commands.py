"""``expediter audit``: verify that nothing in the log was changed, in a folder beside its engine or in DynamoDB.

It only reads, and needs no customer's key: on AWS it reads without keys, so that no personal data can be seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandRefused, Exit, InvalidInput, Unreachable
from workflows.cli.inputs import read_json, read_text
from workflows.cli.options import Region, local_folder
from workflows.cli.terminal import counting, print_json, printable, say

if TYPE_CHECKING:
    from workflows.audit.findings import Head
    from workflows.event_store.event_log import EventLog

app = typer.Typer(name="audit", help="Verify that nothing in the log was changed.", no_args_is_help=True)

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
Table = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="The events table of a deployed stack. All of it is read, with your AWS credentials."
    ),
]


@app.command()
def verify(
    *,
    data: Data = None,
    table: Table = None,
    region: Region = None,
    heads: Annotated[
        str | None, typer.Option(metavar="FILE", help="Heads exported before, to find a chain that was recomputed.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Verify the hash chain of every stream and name each bad commit. Exit code 1 if there is one."""
    from workflows.audit import verify as audit

    published = None if heads is None else _read_heads(heads)
    with _log(data, table, region) as log, counting("verifying stream {} ...") as progress:
        report = audit.verify(log, heads=published, progress=progress)
    findings = [{"stream": f.stream, "version": f.version, "what": f.what} for f in report.findings]
    if json:
        counted = ("streams", "commits", "events", "opaque", "heads")
        counts = {name: getattr(report, name) for name in counted}
        print_json({"intact": report.intact, **counts, "findings": findings})
    else:
        for finding in findings:
            print(printable(f"{finding['stream']} version {finding['version']}: {finding['what']}"))
        compared = f", compared with {report.heads} exported heads" if published is not None else ""
        opaque = f" ({report.opaque} of types that this version does not know)" if report.opaque else ""
        walked = f"{report.streams} streams, {report.commits} commits, {report.events} events{opaque}{compared}"
        say(f"{'intact' if report.intact else f'{len(findings)} broken'}: {walked}")
    return Exit.OK if report.intact else Exit.NO


@app.command()
def heads(*, data: Data = None, table: Table = None, region: Region = None) -> None:
    """Print the head of every stream as JSON. Keep it where writers of the log cannot write."""
    from workflows.audit import verify as audit
    from workflows.event_store.commits import ChainBroken

    with _log(data, table, region) as log:
        try:
            found = [
                {"stream": head.stream, "version": head.version, "hash": head.hash.hex()} for head in audit.heads(log)
            ]
        except ChainBroken as broken:
            where = f"--data {data}" if data else f"--table {table}"
            raise CommandRefused(f"{broken}; a broken chain has no head: see expediter audit verify {where}") from None
    print_json(found)


def _read_heads(file: str) -> dict[str, Head]:
    from workflows.audit.findings import Head

    listed = read_json(read_text(file), file)
    try:
        found = [Head(str(each["stream"]), int(each["version"]), bytes.fromhex(each["hash"])) for each in listed]
    except (TypeError, KeyError, ValueError):
        found = []
    if not found:  # comparing with no heads would always succeed
        raise InvalidInput(f"{file} holds no heads; expediter audit heads prints them")
    return {head.stream: head for head in found}


@contextmanager
def _log(data: Path | None, table: str | None, region: str | None) -> Iterator[EventLog]:
    """Open the log that the options name. Raises InvalidInput, Unreachable, AccessDenied."""
    if (data is None) == (table is None):
        raise InvalidInput("name the log: --data DIR of an engine here, or --table NAME of one on AWS")
    if data is not None:
        from workflows.cli.folder import open_log

        with open_log(data) as log:
            yield log
    else:
        with _deployed_log(table or "", region) as log:
            yield log


@contextmanager
def _deployed_log(table: str, region: str | None) -> Iterator[EventLog]:
    from workflows.aws.event_log import DynamoDbEventLog
    from workflows.cli.aws import client, explained
    from workflows.clock import SystemClock
    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.event_log import StreamUnavailable
    from workflows.event_store.keyring import NoKeys

    with explained(f"the table {table}"):
        try:
            yield DynamoDbEventLog(client("dynamodb", region), table, Codec(NoKeys(), EVENT_TYPES), SystemClock())
        except StreamUnavailable as unavailable:
            raise Unreachable(f"the table {table} does not answer: {unavailable}; try again") from None
        except (KeyError, UnicodeDecodeError):
            raise InvalidInput(f"the table {table} is not an event log") from None
