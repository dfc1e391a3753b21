"""Check an export and load it into SQLite, without an engine: lists and queries with SQL read it there."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory

from workflows.audit.signed_notes import VerifierKey
from workflows.exports.event_rows import COLUMNS, NUMBERS, EventRow
from workflows.exports.formats import NotAnExport, read_rows
from workflows.exports.manifest import FileAltered, Manifest, check_file

_AT_ONCE = 1000


def read_manifest(note: str, key: VerifierKey | None) -> Manifest:
    """Read a signed manifest.

    Args:
        key: That must have signed it; None leaves the signature unchecked.

    Raises:
        NoteRefused: It is not signed by the key.
        ManifestRefused: The text is no manifest.
    """
    text = note.partition("\n\n")[0] + "\n" if key is None else key.check(note)
    return Manifest.read(text)


@contextmanager
def opened(file: Path, manifest: Manifest) -> Iterator[Path]:
    """Check a file against its manifest, and yield a database with its events while the context lasts.

    Raises:
        FileAltered: With the place.
        FormatUnavailable: Parquet cannot be read here.
    """
    check_file(manifest, file)
    with TemporaryDirectory(prefix="expediter-export-") as folder:
        database = Path(folder) / "events.sqlite"
        rows = _load(database, read_rows(file, manifest.format))
        if rows != manifest.rows:
            raise FileAltered(f"it has {rows} events, and its manifest {manifest.rows}")
        yield database


def _load(database: Path, rows: Iterator[EventRow]) -> int:
    columns = ", ".join(f'"{name}" {"INTEGER" if name in NUMBERS else "TEXT"}' for name in COLUMNS)
    marks = ", ".join("?" for _ in COLUMNS)
    count = 0
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(f"CREATE TABLE events ({columns})")
        try:
            while page := list(islice(rows, _AT_ONCE)):
                values = [[row[name] for name in COLUMNS] for row in page]
                connection.executemany(f"INSERT INTO events VALUES ({marks})", values)
                count += len(page)
        except NotAnExport as error:
            raise FileAltered(str(error)) from None
        connection.commit()
    return count
