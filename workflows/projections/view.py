"""A view: a table and the function that computes its rows from one history.

The laws that let a projector apply histories late, twice, out of order and with gaps (``tests/projections`` checks each
view against all of them):

* The rows are a function of the history alone, so a rebuild is a scan of the log.
* A row, once there, stays as the history grows; a newer history changes it or adds rows.
* A row carries the version of its history, and only a row of a higher version replaces it. In a view that ``appends``
  the rows of a history never change: each carries the version of its event, and is inserted once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from sqlalchemy import Table

from workflows.event_store.commits import History
from workflows.event_store.streams import ORDER
from workflows.projections.sums import Sums

Row: TypeAlias = Mapping[str, str | int | None]
"""The values of one row by the names of its columns."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A table, and how its rows are computed.

    Args:
        name: Also the name of the table.
        version: Raise it whenever the columns or the rows change: the stored view is then rebuilt.
        table: It has a column ``version``; its primary key begins with the id in the name of the stream.
        rows: Returns the rows of a history. A view that ``appends`` may leave out those up to the version that is the
            second argument, because they are stored.
        fingerprint: A digest of the key of the blind indexes, on which the rows depend besides the history. A change of
            it rebuilds the stored view too.
        appends: Whether rows are only ever added.
        sums: Tables of sums over the rows. Only a view that ``appends`` has some: no row of it is ever replaced.
        category: The streams that the view is made of.
    """

    name: str
    version: int
    table: Table
    rows: Callable[[History, int], list[Row]]
    fingerprint: str = ""
    appends: bool = False
    sums: tuple[Sums, ...] = ()
    category: str = ORDER

    @property
    def has_blind_indexes(self) -> bool:
        """Whether rows hold something of a person, which must not stay in the file when they are deleted."""
        return bool(self.fingerprint)

    @property
    def key(self) -> str:
        """The column with the id of the stream."""
        return str(next(iter(self.table.primary_key.columns)).name)
