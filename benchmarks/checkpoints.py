"""Checkpoints of a log that is written to: what one costs, what a proof costs, and that there are no false alarms.

Four writers append whole orders of 13 events in 8 commits. Meanwhile checkpoints are made one after the other, and the
log is verified against them again and again: any finding is a false alarm. Then one more order is placed, and the
checkpoint that has it is measured, and a proof, in a tree of all orders.
"""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from benchmarks import histories
from benchmarks.filled import order_id_of
from benchmarks.options import Options, options
from benchmarks.results import Row, at_most, publish
from workflows.audit.changed_heads import FeedHeads
from workflows.audit.checkpoint_audit import audit_checkpoints
from workflows.audit.checkpoints import CheckpointMaker
from workflows.audit.findings import Finding
from workflows.audit.proofs import prove
from workflows.audit.verify import verify
from workflows.clock import SystemClock
from workflows.embedded.checkpoint_folder import FolderCheckpoints, signer_in
from workflows.engine import EVENT_TYPES
from workflows.event_store.codec import Codec
from workflows.event_store.event_log import EventLog
from workflows.sqlite.database import Database
from workflows.sqlite.event_log import SqliteEventLog
from workflows.sqlite.keyring import SqliteKeyRing

WRITERS = 4


def main() -> None:
    chosen = options(__doc__)
    publish("checkpoints", _rows(chosen), quick=chosen.quick, as_json=chosen.json)


def _rows(chosen: Options) -> list[Row]:
    orders = chosen.size(100_000, 300)
    with tempfile.TemporaryDirectory() as name, Database(Path(name) / "log.sqlite") as database:
        log = SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())
        store = FolderCheckpoints(Path(name) / "checkpoints")
        maker = CheckpointMaker(store, FeedHeads(log), signer_in(Path(name)))
        writers = [
            threading.Thread(target=_place, args=(log, range(number, orders, WRITERS))) for number in range(WRITERS)
        ]
        for writer in writers:
            writer.start()
        findings, checks = list[Finding](), 0
        while any(writer.is_alive() for writer in writers) or not checks:
            maker.make(SystemClock().now())
            findings, checks = findings + _findings(log, store), checks + 1
        for writer in writers:
            writer.join()
        maker.make(SystemClock().now())
        findings += _findings(log, store)
        makes, proofs = [], []
        for number in range(orders, orders + 20):
            _place(log, range(number, number + 1))
            makes.append(_seconds(lambda: maker.make(SystemClock().now())))
            stream = f"order#{order_id_of(number)}"
            proofs.append(_seconds(lambda: prove(maker.files, log, stream)))  # noqa: B023 -- called before it changes
        detail = {"orders": orders, "checkpoints": store.newest(), "verifications": checks + 1}
    return [
        Row(
            name="false alarms under load",
            value=len(findings),
            unit="findings",
            target=at_most(0, of="value"),
            detail=detail,
        ),
        Row(name="a checkpoint of one changed order", value=median(makes) * 1000, unit="ms", detail=detail),
        Row(name="a proof of one order", value=median(proofs) * 1000, unit="ms", detail=detail),
    ]


def _place(log: EventLog, numbers: range) -> None:
    for number in numbers:
        order_id = order_id_of(number)
        history = log.load(f"order#{order_id}")
        for commitment in histories.happy(order_id):
            history = log.append(history, histories.new_commit(order_id, commitment))


def _findings(log: EventLog, store: FolderCheckpoints) -> list[Finding]:
    audit = audit_checkpoints({"published": store}, None)
    return [*audit.findings, *verify(log, published=audit.published).findings]


def _seconds(call: Callable[[], object]) -> float:
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
