"""``expediter audit``: is the log what was written? In a folder beside its engine, or in DynamoDB: it only reads.

Verifying needs no keys of customers, so on AWS it is given none: nothing personal can be read by who verifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandRefused, Exit, InvalidInput, Unreachable
from workflows.cli.inputs import read_json, read_text
from workflows.cli.terminal import print_json, printable, say, status_console

if TYPE_CHECKING:
    from workflows.audit.findings import Head
    from workflows.event_store.event_log import EventLog

app = typer.Typer(name="audit", help="Prove that the log is what was written.", no_args_is_help=True)

Data = Annotated[Path | None, typer.Option("--data", metavar="DIR", help="The folder of an engine; it may be running.")]
Table = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="The events table of a deployed stack, read whole, with your AWS credentials."),
]
Region = Annotated[str | None, typer.Option(envvar=["AWS_REGION", "AWS_DEFAULT_REGION"], help="Where the table is.")]


@app.command()
def verify(
    *,
    data: Data = None,
    table: Table = None,
    region: Region = None,
    heads: Annotated[
        str | None, typer.Option(metavar="FILE", help="Heads published before, to find what was computed again.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Verify the chain of every stream, naming each bad commit by stream and version. Exit code 1 when there is one."""
    from workflows.audit import verify as audit

    published = None if heads is None else _read_heads(heads)
    with _log(data, table, region) as log, _streams_walked() as walked_so_far:
        report = audit.verify(log, heads=published, progress=walked_so_far)
    findings = [{"stream": f.stream, "version": f.version, "what": f.what} for f in report.findings]
    if json:
        counted = ("streams", "commits", "events", "opaque", "heads")
        counts = {name: getattr(report, name) for name in counted}
        print_json({"intact": report.intact, **counts, "findings": findings})
    else:
        for finding in findings:
            print(printable(f"{finding['stream']} version {finding['version']}: {finding['what']}"))
        held = f", held against {report.heads} published heads" if published is not None else ""
        opaque = f" ({report.opaque} of a type that this version does not know)" if report.opaque else ""
        walked = f"{report.streams} streams, {report.commits} commits, {report.events} events{opaque}{held}"
        say(f"{'intact' if report.intact else f'{len(findings)} broken'}: {walked}")
    return Exit.OK if report.intact else Exit.NO


@app.command()
def heads(*, data: Data = None, table: Table = None, region: Region = None) -> None:
    """Print the head of every stream as JSON: keep it where who writes the log cannot write."""
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
    if not found:  # nor would it be held against any
        raise InvalidInput(f"{file} holds no heads; expediter audit heads prints them")
    return {head.stream: head for head in found}


@contextmanager
def _log(data: Path | None, table: str | None, region: str | None) -> Iterator[EventLog]:
    """Raises InvalidInput, Unreachable, AccessDenied."""
    if (data is None) == (table is None):
        raise InvalidInput("say which log: --data DIR of an engine here, or --table NAME of one on AWS")
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
            raise Unreachable(f"the table {table} does not answer: {unavailable}; ask again") from None
        except (KeyError, UnicodeDecodeError):
            raise InvalidInput(f"the table {table} holds no event log") from None


@contextmanager
def _streams_walked() -> Iterator[Callable[[int], None]]:
    """Counts on a terminal, where somebody waits."""
    console = status_console()
    if not console.is_terminal:
        yield lambda _streams: None
        return
    with console.status("verifying ...") as status:

        def shown(streams: int) -> None:
            if streams % 100 == 0:
                status.update(f"verifying ... {streams} streams")

        yield shown
