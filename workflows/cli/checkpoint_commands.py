"""``expediter audit checkpoint|checkpoints|prove``: publish the heads of the log, list them, and prove an order."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from workflows.cli.failures import CommandRefused, InvalidInput
from workflows.cli.inputs import existing_folder
from workflows.cli.options import As, Data, Json, LocalData, OrderId, Url
from workflows.cli.terminal import print_json, printable, say

if TYPE_CHECKING:
    from workflows.audit.checkpoint_audit import CheckpointAudit
    from workflows.audit.checkpoint_files import Checkpoint
    from workflows.audit.checkpoint_store import CheckpointStore
    from workflows.audit.signed_notes import VerifierKey

BUCKET = "s3://"

Place = Annotated[
    Path | None,
    typer.Option(
        "--checkpoints",
        metavar="DIR",
        envvar="EXPEDITER_CHECKPOINTS",
        help="The folder of the checkpoints.  [default: the one that the engine uses]",
    ),
]


def add_to(audit: typer.Typer) -> None:
    """Add the commands."""
    audit.command("checkpoint")(checkpoint)
    audit.command("checkpoints")(list_checkpoints)
    audit.command("prove")(prove)


def checkpoint(*, data: LocalData, checkpoints: Place = None, json: Json = False) -> None:
    """Publish the heads of all streams that changed since the last checkpoint, now. The engine may be running.

    An engine does so by itself every hour. On AWS invoke the function Checkpoints with {"now": true}.
    """
    made = _make(data, checkpoints)
    if json:
        print_json([{"size": each.size, "root": each.root.hex(), "made_at": each.made_at} for each in made])
    elif made:
        say(f"published a checkpoint of {made[-1].size} heads")
    else:
        say("no stream changed since the last checkpoint")


def _make(data: Path, place: Path | None) -> list[Checkpoint]:
    """Make checkpoints of a folder's log. Raises CommandRefused."""
    from workflows.audit.changed_heads import FeedHeads
    from workflows.audit.checkpoint_store import CheckpointsUnavailable
    from workflows.audit.checkpoints import CheckpointMaker, CheckpointsBroken
    from workflows.cli.folder import open_database
    from workflows.clock import SystemClock
    from workflows.embedded.checkpoint_folder import FolderCheckpoints, checkpoint_folder, signer_in
    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.event_store.keyring import NoKeys
    from workflows.sqlite.event_log import SqliteEventLog

    with open_database(existing_folder(data)) as database:
        log = SqliteEventLog(database, Codec(NoKeys(), EVENT_TYPES), SystemClock())
        store = FolderCheckpoints(checkpoint_folder(data, place))
        try:
            return CheckpointMaker(store, FeedHeads(log), signer_in(data)).make(SystemClock().now())
        except (CheckpointsUnavailable, CheckpointsBroken) as error:
            raise CommandRefused(f"no checkpoint could be published: {error}") from None


def list_checkpoints(
    *,
    limit: Annotated[int, typer.Option(min=1, max=100, help="The most lines to print.")] = 20,
    before: Annotated[int | None, typer.Option(min=1, metavar="NUMBER", help="Only those below this number.")] = None,
    url: Url = None,
    data: Data = None,
    as_: As = None,
    json: Json = False,
) -> None:
    """List the checkpoints of the log, the newest first. For support and auditors."""
    from workflows.cli.connection import connected

    with connected(url, data, as_) as engine:
        page = engine.checkpoints(limit=limit, before=before)
    if json:
        print_json(page)
        return
    for each in page["checkpoints"]:
        print(f"{each['number']:>6}  {each['made_at']}  {each['size']:>9} heads  {each['root']}")
    if page["key"] is not None:
        say(f"signed by {printable(page['key'])}")
    else:
        say("there are none yet")
    if page["next"] is not None:
        say(f"more: --before {page['next']}")


def prove(
    *,
    order: OrderId,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The file to write.")],
    checkpoint: Annotated[
        bool, typer.Option("--checkpoint", help="Publish a checkpoint before, so that the proof is of the order now.")
    ] = False,
    url: Url = None,
    data: Data = None,
    as_: As = None,
) -> None:
    """Write a proof of what was recorded about an order, for a person without access to the engine.

    expediter-verify checks the file. Personal data in it is encrypted. It proves the order up to its last version in a
    checkpoint.
    """
    from workflows.cli.connection import connected
    from workflows.client.audit_json import proof_file

    if checkpoint:
        if data is None:
            raise InvalidInput("--checkpoint needs --data; on AWS invoke the function Checkpoints before")
        _make(data, None)
    with connected(url, data, as_) as engine:
        proof = engine.proof(order)
    try:
        output.write_bytes(proof_file(proof))
    except OSError as error:
        raise CommandRefused(f"{output} cannot be written: {error.strerror}") from None
    made_at = proof["checkpoint"].partition("made_at ")[2].partition("\n")[0]
    say(f"{output} proves {order} as of the checkpoint of {made_at}; check it with expediter-verify")
    say(f"signed by {printable(proof['key'])}: tell the reader this key by another way than the file")


def audited(places: list[str], key: str | None, region: str | None) -> CheckpointAudit:
    """Verify places with checkpoints, folders and ``s3://`` buckets, and each against the others.

    Raises:
        InvalidInput, CommandRefused.
    """
    from workflows.audit.checkpoint_audit import audit_checkpoints
    from workflows.audit.checkpoint_store import CheckpointsUnavailable

    stores = {place: _store(place, region) for place in places}
    try:
        for place, store in stores.items():
            if not store.newest():
                raise InvalidInput(f"{place} holds no checkpoints")
        return audit_checkpoints(stores, None if key is None else verifier_key(key))
    except CheckpointsUnavailable as unavailable:
        raise CommandRefused(str(unavailable)) from None


def places_of(data: Path) -> list[str]:
    """Return the folder with the checkpoints of an engine's folder; none if there are none yet. Raises InvalidInput."""
    from workflows.embedded.checkpoint_folder import FolderCheckpoints, checkpoint_folder

    folder = checkpoint_folder(existing_folder(data), None)
    return [str(folder)] if FolderCheckpoints(folder).newest() else []


def _store(place: str, region: str | None) -> CheckpointStore:
    if place.startswith(BUCKET):
        from workflows.aws.checkpoints import S3Checkpoints
        from workflows.cli.aws import client

        return S3Checkpoints(client("s3", region), place.removeprefix(BUCKET))
    from workflows.embedded.checkpoint_folder import FolderCheckpoints

    return FolderCheckpoints(Path(place))


def verifier_key(text: str) -> VerifierKey:
    """Read the value of --key. Raises InvalidInput."""
    from workflows.audit.signed_notes import NoteRefused, VerifierKey

    try:
        return VerifierKey.parse(text)
    except NoteRefused as refused:
        raise InvalidInput(f"--key {refused}") from None
