"""Verifies the demo's result by reading the log, the ledgers and the journal beside the running engine."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import TYPE_CHECKING

from workflows.audit.findings import Report
from workflows.audit.verify import verify
from workflows.cli.folder import open_ledgers, open_log, open_reports
from workflows.sandbox.books_check import BooksReport, check_books

if TYPE_CHECKING:
    from workflows.embedded.step_functions.reports import Reports

EXECUTIONS_END_WITHIN_S = 20
"""After the last event of its order an execution enters a few more states."""

_LOOK_AGAIN_S = 0.05
_RUNNING_MAX = 1_000  # read at a time; each order has at most three running executions


@dataclass(frozen=True, slots=True)
class Evidence:
    """``standard`` and ``express`` are state entries per delivered order, as Step Functions would charge them."""

    chains: Report
    books: BooksReport
    standard: float
    express: float
    unended: tuple[str, ...]


def gather(data: Path, order_ids: Sequence[str], delivered: Sequence[str]) -> Evidence:
    """Verify the whole log of the folder and its books, and count what the delivered orders cost."""
    with open_reports(data) as reports:
        unended = _wait_for_executions(reports, frozenset(order_ids))
        entries = [reports.state_entries(order_id) for order_id in delivered]
    with open_log(data) as log, open_ledgers(data) as ledgers:
        return Evidence(
            chains=verify(log),
            books=check_books(log, ledgers),
            standard=round(mean([each.standard for each in entries] or [0]), 2),
            express=round(mean([each.express for each in entries] or [0]), 2),
            unended=unended,
        )


def _wait_for_executions(reports: Reports, order_ids: frozenset[str]) -> tuple[str, ...]:
    """Wait until all executions of these orders have ended; return those that did not in time."""
    from workflows.asl.signals import ExecutionStatus

    deadline = time.monotonic() + EXECUTIONS_END_WITHIN_S
    while True:
        running = [str(each["name"]) for each in reports.latest(status=ExecutionStatus.RUNNING, limit=_RUNNING_MAX)]
        ours = tuple(name for name in running if name.partition("-")[0] in order_ids)
        if not ours or time.monotonic() > deadline:
            return ours
        time.sleep(_LOOK_AGAIN_S)
