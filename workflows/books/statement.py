"""The payment provider's statement: what it authorized, captured, released and refunded, one CSV row for each.

The format is in docs/books.md. A provider's own export is brought into it by a script; amounts are decimals in units of
the currency, exact, so that no cent is lost on the way.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from domain.money import Money
from domain.picklable import Picklable
from workflows.clock import read_timestamp, timestamp

COLUMNS = ("kind", "id", "parent", "order", "amount", "currency", "at")

PROBLEMS_MAX = 20
"""Problems of a file that are listed; the others are counted."""


class LineKind(StrEnum):
    """What the provider did.

    ``RELEASED`` is the rest of a hold after a capture; ``VOIDED`` and ``EXPIRED`` end a hold without a capture.
    """

    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    RELEASED = "released"
    VOIDED = "voided"
    EXPIRED = "expired"
    REFUNDED = "refunded"


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One row. ``parent``: the id of the authorization of a capture or release, or of the capture of a refund.

    ``order`` is the reference that the provider was given, empty if it has none. ``row`` is 1 for the heading.
    """

    kind: LineKind
    id: str
    parent: str
    order: str
    amount: Money
    at: datetime
    row: int = 0


class StatementUnreadable(Picklable, ValueError):
    """Rows or fields of a statement cannot be understood. ``problems`` has each, with its row and column."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - PROBLEMS_MAX
        listed = [*problems[:PROBLEMS_MAX], *([f"and {more} more"] if more > 0 else [])]
        super().__init__("; ".join(listed))
        self.problems = tuple(problems)


def read_statement(text: str) -> list[StatementLine]:
    """Read a statement in CSV with a heading. The columns may be in any order.

    Raises:
        StatementUnreadable: It names every row and column that is wrong.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    lines: list[StatementLine] = []
    problems: list[str] = []
    try:
        _check_heading(reader.fieldnames or ())
        for record in reader:
            line = _line(record, reader.line_num, problems)
            if line is not None:
                lines.append(line)
    except csv.Error as error:
        problems.append(f"row {reader.line_num + 1} or below: {error}")
    if problems:
        raise StatementUnreadable(problems)
    return lines


def write_statement(lines: Iterable[StatementLine]) -> str:
    """Return a statement as CSV with a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        amount, _, currency = str(line.amount).partition(" ")
        writer.writerow((line.kind.value, line.id, line.parent, line.order, amount, currency, timestamp(line.at)))
    return text.getvalue()


def _check_heading(columns: Sequence[str]) -> None:
    problems = [f"row 1: the column {name} is missing" for name in COLUMNS if name not in columns]
    problems += [f"row 1: {name!r} is not a column of a statement" for name in columns if name not in COLUMNS]
    problems += [f"row 1: the column {name} stands twice" for name in COLUMNS if list(columns).count(name) > 1]
    if problems:
        raise StatementUnreadable(problems)


def _line(record: dict[str | None, str | None], row: int, problems: list[str]) -> StatementLine | None:
    """Return the line of a row, or add what is wrong with it to ``problems``."""
    if None in record or None in record.values():
        problems.append(f"row {row}: has {'more' if None in record else 'fewer'} values than the heading has columns")
        return None
    fields = {str(name): str(value).strip() for name, value in record.items()}
    wrong: list[str] = []

    def problem(column: str, what: str) -> None:
        wrong.append(f"row {row}, {column}: {what}")

    if fields["kind"] not in set(LineKind):
        problem("kind", f"{fields['kind'][:20]!r} is none of {', '.join(LineKind)}")
    if not fields["id"]:
        problem("id", "is empty")
    amount = at = None
    try:
        amount = Money.parse(fields["amount"], fields["currency"])
        if amount.minor < 0:
            problem("amount", "is below zero; the kind says which way the money went")
    except ValueError as error:
        problem("amount" if len(fields["currency"]) == 3 and fields["currency"].isupper() else "currency", str(error))
    try:
        at = read_timestamp(fields["at"])
    except ValueError as error:
        problem("at", str(error))
    problems += wrong
    if wrong or amount is None or at is None:
        return None
    return StatementLine(
        kind=LineKind(fields["kind"]),
        id=fields["id"],
        parent=fields["parent"],
        order=fields["order"],
        amount=amount,
        at=at,
        row=row,
    )
