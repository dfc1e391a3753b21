"""The ledger of one simulated provider: what it did, line by line, and the receipt it gave under each key.

Lines are only appended. A call's lines and its receipt are one transaction and become visible once that is durable; so
after a kill at any moment, the next process answers the same call with the same receipt.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar, cast

import apsw
import msgspec

from domain.money import Money
from workflows.gateways.errors import KeyMisused
from workflows.sqlite.database import Database

Receipt = TypeVar("Receipt")
Counterparty = Literal["payment", "kitchen", "courier"]

_COLUMNS = "kind, reference, id, parent, key, minor, currency, detail, at"
_TYPES = {name: {"text"} for name in _COLUMNS.split(", ")} | {
    "minor": {"integer", "null"},
    "currency": {"text", "null"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line: ``kind`` happened to ``id`` because of the call under ``key``.

    ``reference`` is the order's id, or empty if the provider never got it (a tombstone). ``parent`` is the id of the
    line that this one changes: a capture's authorization, a refund's capture; empty for a first line. ``amount`` is
    None if no money moves. ``detail`` is what the payment method does, the reason, or the restaurant.
    """

    kind: str
    reference: str
    id: str
    parent: str = ""
    key: str
    amount: Money | None = None
    detail: str = ""
    at: datetime


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """A call to a provider under a key. Two calls are the same if operation and parameters are equal."""

    key: str
    operation: str
    parameters: dict[str, Any]

    def __str__(self) -> str:
        return self.operation + msgspec.json.encode(self.parameters, order="deterministic").decode()


def made_id(kind: str, key: str) -> str:
    """Return the id of what a call makes.

    It follows from the call's key, so a repeated call finds what the first made.
    """
    return f"{kind}_{hashlib.sha256(key.encode()).hexdigest()[:24]}"


class Lines:
    """The lines of a ledger, inside the transaction of one call."""

    def __init__(self, connection: apsw.Connection, table: str) -> None:
        self._connection = connection
        self._table = table

    def find(self, line_id: str) -> Entry | None:
        lines = self._select("id = ?", line_id)
        return lines[0] if lines else None

    def changes(self, line_id: str) -> list[Entry]:
        """Return the lines that have this one as their parent, oldest first."""
        return self._select("parent = ?", line_id)

    def append(self, entry: Entry) -> Entry:
        minor, currency = (entry.amount.minor, entry.amount.currency) if entry.amount else (None, None)
        row = (entry.kind, entry.reference, entry.id, entry.parent, entry.key, minor, currency, entry.detail)
        sql = f"INSERT INTO {self._table} ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._connection.execute(sql, (*row, entry.at.isoformat()))
        return entry

    def _select(self, where: str, value: str) -> list[Entry]:
        sql = f"SELECT {_COLUMNS} FROM {self._table} WHERE {where} ORDER BY seq"
        return [_entry(row) for row in self._connection.execute(sql, (value,))]


class Ledger:
    """The lines and receipts of one provider, in a database that others may share."""

    def __init__(
        self,
        database: Database,
        counterparty: Counterparty,
        receipts: Sequence[type],
        *,
        remembers: timedelta | None = None,
    ) -> None:
        """Create the tables unless the database is read-only.

        Args:
            receipts: The classes of the provider's receipts.
            remembers: How long a key is remembered; None: for ever.
        """
        self._database = database
        self._lines, self._calls = f"{counterparty}_lines", f"{counterparty}_calls"
        self._receipts = {kind.__name__: kind for kind in receipts}
        self._remembers = remembers
        if not database.read_only:
            database.write(self._create)

    def answer(self, call: ProviderCall, at: datetime, perform: Callable[[Lines], Receipt]) -> Receipt:
        """Return the first receipt of this call, or perform it now. Durable on return. Raises KeyMisused."""

        def work(connection: apsw.Connection) -> Receipt:
            first = connection.execute(f"SELECT call, at, kind, receipt FROM {self._calls} WHERE key = ?", (call.key,))
            remembered = first.fetchone()
            if remembered is not None and not self._forgotten(remembered[1], at):
                return cast("Receipt", self._repeat(call, *remembered))  # the receipt of this same call
            receipt = perform(Lines(connection, self._lines))
            row = (call.key, str(call), at.isoformat(), type(receipt).__name__, msgspec.json.encode(receipt).decode())
            sql = f"REPLACE INTO {self._calls} (key, call, at, kind, receipt) VALUES (?, ?, ?, ?, ?)"
            connection.execute(sql, row)
            return receipt

        return self._database.write(work)

    def entries(self, reference: str | None = None) -> tuple[Entry, ...]:
        """Return the lines of one order, or all lines, oldest first."""
        where = "" if reference is None else "WHERE reference = ?"
        sql = f"SELECT {_COLUMNS} FROM {self._lines} {where} ORDER BY seq"
        bindings = () if reference is None else (reference,)
        return self._database.read(lambda connection: tuple(map(_entry, connection.execute(sql, bindings))))

    def damaged(self) -> Iterator[str]:
        """Name each line that is not what ``append`` writes. ``entries`` can be read if there is none."""
        columns = ", ".join(f"typeof({name}), CAST({name} AS BLOB)" for name in _TYPES)
        sql = f"SELECT seq, {columns} FROM {self._lines} ORDER BY seq"
        for seq, *pairs in self._database.read(lambda connection: connection.execute(sql).fetchall()):
            stored: dict[str, Any] = dict(zip(_TYPES, zip(pairs[::2], pairs[1::2], strict=True), strict=True))
            wrong = [name for name, (kind, content) in stored.items() if not _fits(name, kind, content or b"")]
            if (stored["minor"][0] == "null") != (stored["currency"][0] == "null"):
                wrong.append("minor without currency")
            if wrong:
                yield f"line {seq} of {self._lines} is damaged: {', '.join(wrong)}"

    def _create(self, connection: apsw.Connection) -> None:
        connection.execute(f"""
            CREATE TABLE IF NOT EXISTS {self._lines} (
                seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, reference TEXT NOT NULL, id TEXT NOT NULL UNIQUE,
                parent TEXT NOT NULL, key TEXT NOT NULL, minor INTEGER, currency TEXT, detail TEXT NOT NULL,
                at TEXT NOT NULL
            ) STRICT;
            CREATE INDEX IF NOT EXISTS {self._lines}_by_reference ON {self._lines} (reference);
            CREATE INDEX IF NOT EXISTS {self._lines}_by_parent ON {self._lines} (parent);
            CREATE TABLE IF NOT EXISTS {self._calls} (
                key TEXT PRIMARY KEY, call TEXT NOT NULL, at TEXT NOT NULL, kind TEXT NOT NULL, receipt TEXT NOT NULL
            ) STRICT, WITHOUT ROWID;
        """)

    def _forgotten(self, answered_at: str, now: datetime) -> bool:
        return self._remembers is not None and now >= datetime.fromisoformat(answered_at) + self._remembers

    def _repeat(self, call: ProviderCall, first: str, _at: str, kind: str, receipt: str) -> object:
        if first != str(call):
            raise KeyMisused(call.key, first, str(call))
        return None if kind == "NoneType" else msgspec.json.decode(receipt, type=self._receipts[kind])


def _fits(column: str, kind: str, content: bytes) -> bool:
    """Whether a stored value has a type of its column, and is UTF-8, a time or a currency where it must be."""
    if kind not in _TYPES[column]:
        return False
    try:
        text = content.decode() if kind == "text" else ""
        if column == "at":
            datetime.fromisoformat(text)
        elif column == "currency" and kind == "text":
            Money(0, text)
    except ValueError:
        return False
    return True


def _entry(row: tuple[Any, ...]) -> Entry:
    kind, reference, line_id, parent, key, minor, currency, detail, at = row
    return Entry(
        kind=kind,
        reference=reference,
        id=line_id,
        parent=parent,
        key=key,
        amount=None if currency is None else Money(minor, currency),
        detail=detail,
        at=datetime.fromisoformat(at),
    )
