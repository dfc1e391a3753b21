"""``expediter audit``: is the log in a folder what was written? Works beside a running engine: it only reads."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import Exit, Refused, Unusable
from workflows.cli.inputs import read_json, read_text
from workflows.cli.terminal import print_json, say

if TYPE_CHECKING:
    from workflows.audit import Head
    from workflows.event_log import EventLog

app = typer.Typer(name="audit", help="Prove that the log is what was written.", no_args_is_help=True)

Data = Annotated[Path, typer.Option("--data", metavar="DIR", help="The folder of an engine; it may be running.")]


@app.command()
def verify(
    data: Data,
    *,
    heads: Annotated[
        str | None, typer.Option(metavar="FILE", help="Heads published before, to find what was computed again.")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
) -> int:
    """Verify the chain of every stream, naming each bad commit by stream and version. Exit code 1 when there is one."""
    from workflows import audit

    published = None if heads is None else _read_heads(heads)
    with _log(data) as log:
        report = audit.verify(log, heads=published)
    findings = [{"stream": f.stream, "version": f.version, "what": f.what} for f in report.findings]
    if json:
        counts = {"streams": report.streams, "commits": report.commits, "events": report.events, "heads": report.heads}
        print_json({"intact": report.intact, **counts, "findings": findings})
    else:
        for finding in findings:
            print(f"{finding['stream']} version {finding['version']}: {finding['what']}")
        held = f", held against {report.heads} published heads" if published is not None else ""
        walked = f"{report.streams} streams, {report.commits} commits, {report.events} events{held}"
        say(f"{'intact' if report.intact else f'{len(findings)} broken'}: {walked}")
    return Exit.OK if report.intact else Exit.NO


@app.command()
def heads(data: Data) -> None:
    """Print the head of every stream as JSON: keep it where who writes the log cannot write."""
    from workflows import audit
    from workflows.commits import ChainBroken

    with _log(data) as log:
        try:
            found = [
                {"stream": head.stream, "version": head.version, "hash": head.hash.hex()} for head in audit.heads(log)
            ]
        except ChainBroken as broken:
            raise Refused(f"{broken}; a broken chain has no head: see expediter audit verify --data {data}") from None
    print_json(found)


def _read_heads(file: str) -> dict[str, Head]:
    from workflows.audit import Head

    listed = read_json(read_text(file), file)
    try:
        found = [Head(str(each["stream"]), int(each["version"]), bytes.fromhex(each["hash"])) for each in listed]
    except (TypeError, KeyError, ValueError):
        raise Unusable(f"{file} holds no heads; expediter audit heads prints them") from None
    return {head.stream: head for head in found}


@contextmanager
def _log(data: Path) -> Iterator[EventLog]:
    from workflows.cli.folder import open_log

    with open_log(data) as log:
        yield log
