"""Sums over the rows of a view by some of its columns, so that a report reads as many rows as it shows.

At every moment a sum equals what ``GROUP BY`` over the rows of its view gives. The transaction that inserts or deletes
rows adds or subtracts their amounts, the one that puts a rebuilt table in place computes its sums anew, and ``check``
and the daily comparison recompute each day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, TypeAlias

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    MetaData,
    Select,
    Table,
    delete,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite

from workflows.sql.columns import count, text

NO_TEXT: Final = ""
NO_COUNT: Final = -1
"""What stands in a key for NULL, which a primary key cannot have."""

ROWS: Final = "rows_summed"
"""The column with the number of rows in a sum: without any, there is no sum."""

DAY: Final = "day"
"""The column by which sums are compared with the rows, a day at a time."""

Amounts: TypeAlias = dict[tuple[str | int, ...], list[int]]
"""Changes of sums by the values of the key, and last the number of rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """A table of sums.

    Args:
        table: Its primary key are columns of the view, the others are amounts of the view, and ``ROWS``. An index of it
            begins with the day, as one of the view does.
        only: A column of the view and the values that it has in the rows that are summed; None for all rows.
    """

    table: Table
    only: tuple[str, frozenset[str]] | None = None

    @property
    def keys(self) -> list[str]:
        """The columns by which is summed."""
        return [column.name for column in self.table.primary_key.columns]

    @property
    def amounts(self) -> list[str]:
        """The columns that are summed."""
        return [column.name for column in self.table.columns if not column.primary_key and column.name != ROWS]

    def of(self, rows: Iterable[Mapping[str, str | int | None]], sign: int = 1) -> Amounts:
        """Add up these rows, or with ``sign`` -1 take them away."""
        defaults = {column.name: _default(column) for column in self.table.primary_key.columns}
        sums: Amounts = {}
        for row in rows:
            if self.only is None or row[self.only[0]] in self.only[1]:
                key = tuple(default if row[name] is None else row[name] for name, default in defaults.items())
                values = sums.setdefault(key, [0] * (len(self.amounts) + 1))  # type: ignore[arg-type] # no None is left
                for place, amount in enumerate((*(row[name] for name in self.amounts), 1)):
                    values[place] += sign * int(amount or 0)
        return sums

    def summed(self, view: Table, day: str) -> Select[Any]:
        """Return the query that gives these sums of a day from the rows of a view."""
        keys = [func.coalesce(view.c[column.name], literal(_default(column), column.type)) for column in self._key]
        amounts = [func.sum(view.c[name]) for name in self.amounts]
        query = select(*(key.label(column.name) for key, column in zip(keys, self._key, strict=True)))
        query = query.add_columns(*(sum_.label(name) for sum_, name in zip(amounts, self.amounts, strict=True)))
        return query.add_columns(func.count().label(ROWS)).where(*self._which(view, day)).group_by(*keys)

    def stored(self, day: str) -> Select[Any]:
        """Return the query that gives the stored sums of a day, with their columns in the same order."""
        names = [*self.keys, *self.amounts, ROWS]
        return select(*(self.table.c[name] for name in names)).where(self.table.c[DAY] == day)

    @property
    def _key(self) -> Sequence[Column[Any]]:
        return list(self.table.primary_key.columns)

    def _which(self, view: Table, day: str) -> Iterator[ColumnElement[bool]]:
        yield view.c[DAY] == day
        if self.only is not None:
            yield view.c[self.only[0]].in_(sorted(self.only[1]))


def sums_table(name: str, keys: Sequence[Column[Any]], amounts: Sequence[str]) -> Table:
    """Return the definition of a table of sums."""
    return Table(name, MetaData(), *keys, *(count(amount) for amount in amounts), count(ROWS))


def key_text(name: str) -> Column[str]:
    """Return a column of a key, of text; ``NO_TEXT`` stands for NULL."""
    return text(name, primary_key=True)


def key_count(name: str) -> Column[int]:
    """Return a column of a key, of a whole number; ``NO_COUNT`` stands for NULL."""
    return count(name, primary_key=True)


def add(connection: Connection, sums: Sums, amounts: Amounts) -> None:
    """Add these amounts to the stored sums, in the order of their keys; delete sums that have no rows any more."""
    if not amounts:
        return
    names, table = [*sums.keys, *sums.amounts, ROWS], sums.table
    statement = (sqlite if connection.dialect.name == "sqlite" else postgresql).insert(table)
    added = {name: table.c[name] + statement.excluded[name] for name in (*sums.amounts, ROWS)}
    values = [dict(zip(names, (*key, *of_key), strict=True)) for key, of_key in sorted(amounts.items())]
    connection.execute(statement.on_conflict_do_update(index_elements=sums.keys, set_=added), values)
    if any(of_key[-1] < 0 for of_key in amounts.values()):
        connection.execute(delete(table).where(table.c[ROWS] == 0))


def sum_up(connection: Connection, sums: Sums, view: Table, day: str | None = None) -> None:
    """Store the sums over the rows of a view anew: all, or those of a day. Each statement reads the rows of one day."""
    table = sums.table
    connection.execute(delete(table) if day is None else delete(table).where(table.c[DAY] == day))
    for each in days(connection, [view]) if day is None else [day]:
        names = [*sums.keys, *sums.amounts, ROWS]
        connection.execute(insert(table).from_select(names, sums.summed(view, each)))


def days(connection: Connection, tables: Iterable[Table]) -> list[str]:
    """Return the days that these tables have, each looked up in an index: reading all rows would take seconds."""
    found: set[str] = set()
    for table in tables:
        day = connection.execute(select(func.min(table.c[DAY]))).scalar()
        while day is not None:
            found.add(day)
            day = connection.execute(select(func.min(table.c[DAY])).where(table.c[DAY] > day)).scalar()
    return sorted(found)


def is_right(connection: Connection, sums: Sums, view: Table, day: str) -> bool:
    """Whether the stored sums of a day are those of the rows in the same snapshot."""
    stored, right = (
        {
            tuple(int(value) if isinstance(value, Decimal) else value for value in row)
            for row in connection.execute(query)
        }
        for query in (sums.stored(day), sums.summed(view, day))
    )
    return stored == right


def _default(column: Column[Any]) -> str | int:
    return NO_COUNT if isinstance(column.type, Integer) else NO_TEXT
