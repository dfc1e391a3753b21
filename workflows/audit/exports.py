"""Exports of events as files: what one is, and the port through which a process makes and reads them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Protocol

from domain.picklable import Picklable

if TYPE_CHECKING:  # SQLAlchemy takes long to import
    from collections.abc import Callable

    from workflows.sql.database import SqlDatabase

BLOCK: Final = 1024 * 1024
"""Bytes of a file that are hashed, and sent, at a time."""


LINK_S: Final = 300
"""Seconds for which a link to a file can be used."""


class ExportFormat(StrEnum):
    """The format of a file."""

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


class ExportState(StrEnum):
    """How far an export is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """An export that was requested.

    Attributes:
        filter: By the names of the parameters of ``GET /events``.
        as_of: The newest recording time in it, as in the log.
        rows: Written so far.
        manifest: The signed manifest; empty until it is done.
        error: Why it failed; empty otherwise.
    """

    id: str
    format: ExportFormat
    filter: dict[str, str | list[str] | bool]
    as_of: str
    requested_by: str
    requested_at: str
    state: ExportState = ExportState.RUNNING
    rows: int = 0
    bytes: int = 0
    sha256: str = ""
    manifest: str = ""
    error: str = ""


class ExportRefused(Picklable, Exception):
    """An export cannot be made or read."""


class NoExports(ExportRefused):
    """This deployment keeps no files. Retryable: no. HTTP: 503."""

    def __init__(self) -> None:
        super().__init__("This deployment makes no exports. On AWS they need the database of the views: ViewsSecret.")


class ExportsBusy(ExportRefused):
    """An export is being made. Retryable: yes. HTTP: 503."""

    def __init__(self) -> None:
        super().__init__("Another export is being made. Send the same request again later.")


class NoSuchExport(ExportRefused):
    """There is no export of this id, or its file was removed. Retryable: no. HTTP: 404."""

    def __init__(self) -> None:
        super().__init__("There is no export of this id. Exports are kept for a day.")


class FormatUnavailable(ExportRefused):
    """The format needs a library that is not installed. Retryable: after installing it. HTTP: 422."""

    def __init__(self) -> None:
        super().__init__(
            "Parquet needs duckdb where the engine runs: pip install 'expediter[parquet]'. The functions on AWS do not "
            "have it: export jsonl, and convert the file."
        )


class ExportTooLarge(ExportRefused):
    """The process that makes the export has no time or disk left for it. Retryable: with a narrower filter."""

    def __init__(self, what: str) -> None:
        super().__init__(f"The export is too large: {what}. Narrow its filter, e.g. by time.")


class ExportsUnavailable(ExportRefused):
    """The folder or bucket of exports cannot be read or written. Retryable: yes. HTTP: 503."""


class Exports(Protocol):
    """Makes exports and keeps their files. Every method raises ExportsUnavailable."""

    def begin(self, export: Export) -> Export:
        """Begin to make an export, or return the one that has its id. Raises ExportsBusy, FormatUnavailable."""
        ...

    def find(self, export_id: str) -> Export:
        """Return an export as it is now. Raises NoSuchExport."""
        ...

    def block(self, export_id: str, number: int) -> bytes:
        """Return a block of the file of an export that is done; empty behind its end. Raises NoSuchExport."""
        ...

    def link(self, export_id: str) -> str | None:
        """Return an address from which the file can be read for LINK_S without a token; None if there is none."""
        ...


class ExportMaker(Protocol):
    """Makes exports in a process of its own that was told their id."""

    def make(self, export_id: str, database: SqlDatabase, left_s: Callable[[], float]) -> Export:
        """Make an export and store how it ended. One that has ended is left as it is.

        Args:
            database: Of the views.
            left_s: Returns how many seconds the process has left.

        Raises:
            NoSuchExport, ExportsUnavailable: The export stays as it is.
        """
        ...


class NoExportsHere:
    """Refuses every call with NoExports."""

    def begin(self, export: Export) -> Export:
        raise NoExports

    def find(self, export_id: str) -> Export:
        raise NoExports

    def block(self, export_id: str, number: int) -> bytes:
        raise NoExports

    def link(self, export_id: str) -> str | None:
        raise NoExports
