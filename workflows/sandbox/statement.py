"""The statement of the simulated payment provider: its ledger in the terms of ``workflows.books.statement``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workflows.books.statement import LineKind, StatementLine
from workflows.sandbox.ledger import Entry


def statement_lines(entries: Iterable[Entry]) -> Iterator[StatementLine]:
    """Yield a line for each entry that moved or held money, in the ledger's order. Declines are left out."""
    kinds = set(LineKind)
    for row, entry in enumerate((each for each in entries if each.kind in kinds), start=2):
        assert entry.amount is not None, "each line of payments has an amount"
        yield StatementLine(
            kind=LineKind(entry.kind),
            id=entry.id,
            parent=entry.parent,
            order=entry.reference,
            amount=entry.amount,
            at=entry.at,
            row=row,
        )
