"""Run a query on PostgreSQL as a role of its own, which may read the relations' columns and nothing else.

The role is made by the owner of the views, which needs CREATEROLE for that; or by hand, as docs/audit.md says. Its
password is derived from the owner's, so it is stored nowhere. A rebuilt view is a new table, so privileges are
checked before each query.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable
from contextlib import closing
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from workflows.queries.answers import BYTES_MAX, SECONDS_MAX, Table
from workflows.queries.refusals import QueriesUnavailable, QueryRefused, QueryTooLarge
from workflows.queries.relations import RELATIONS
from workflows.queries.statement import prepared
from workflows.sql.database import SqlUnavailable

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from sqlalchemy.engine import URL

    from workflows.sql.database import SqlDatabase

_TOO_LARGE = {"57014", "53100", "53200", "53400", "54000", "54001"}  # canceled, disk or memory full, limits exceeded


def query_postgres(
    database: SqlDatabase, sql: str, *, as_of: str | None, limit: int, seconds: float = SECONDS_MAX
) -> Table:
    """Run a query on the views of a database, and wait for it.

    Raises:
        QueryRefused, QueryTooLarge, QueriesUnavailable.
        SqlUnavailable: The database does not answer.
    """
    import psycopg

    statement = prepared(sql, "postgresql", as_of)
    role = _role(database.url)
    _admit(database, role)
    settings = {
        "statement_timeout": f"{int(seconds * 1000)}",
        "lock_timeout": "1000",
        "default_transaction_read_only": "on",
        "standard_conforming_strings": "on",
        "work_mem": "16MB",
        "max_parallel_workers_per_gather": "0",
    }
    options = " ".join(f"-c {name}={value}" for name, value in settings.items())
    url = database.url
    target: dict[str, Any] = {"host": url.host, "port": url.port, "dbname": url.database, **url.query}
    login = {"user": role, "password": _password(url), "options": options, "connect_timeout": 5}
    try:
        connection = psycopg.connect(**{name: value for name, value in (target | login).items() if value is not None})
    except psycopg.OperationalError as error:
        raise QueriesUnavailable(f"The role {role} cannot log in to the database: {_first_line(error)}.") from None
    with closing(connection):
        try:
            columns = connection.execute(f"SELECT * FROM ({statement}) AS answer LIMIT 0").description or ()
            with connection.cursor("answer") as cursor:  # on the server, so that it sends a few rows at a time
                cursor.itersize = 20
                cursor.execute(f"SELECT row_to_json(answer)::text FROM ({statement}) AS answer LIMIT {limit + 1}")
                return _within([column.name for column in columns], (row[0] for row in cursor), limit)
        except psycopg.Error as error:
            if error.sqlstate in _TOO_LARGE:
                why = "it takes too long" if error.sqlstate == "57014" else _first_line(error)
                raise QueryTooLarge(
                    f"The query was stopped: {why}. Ask for less: fewer orders, a shorter time."
                ) from None
            raise QueryRefused(f"The database refused the query: {_first_line(error)}.") from None


def _within(columns: list[str], found: Iterable[str], limit: int) -> Table:
    rows: list[list[Any]] = []
    size = 0
    for row in found:
        size += len(row)
        if len(rows) == limit or size > BYTES_MAX:
            return Table(columns=columns, rows=rows, truncated=True)
        rows.append([value for _, value in json.loads(row, object_pairs_hook=lambda pairs: pairs)])
    return Table(columns=columns, rows=rows, truncated=False)


def _role(url: URL) -> str:
    return f"expediter_auditor_{sha256(str(url.database).encode()).hexdigest()[:12]}"


def _password(url: URL) -> str:
    return hmac.digest(str(url.password or "").encode(), b"expediter auditor", "sha256").hex()


def _admit(database: SqlDatabase, role: str) -> None:
    """Make the role, if there is none, and let it read the relations' columns."""
    try:
        with database.reading() as connection:
            if _is_admitted(connection, role):
                return
        with database.writing() as connection:
            _make(connection, role, _password(database.url))
    except SqlUnavailable as error:
        if isinstance(error.__cause__, DBAPIError) and getattr(error.__cause__.orig, "sqlstate", None) == "42501":
            raise QueriesUnavailable(
                f"The user of the views may not make the role {role} in the database. docs/audit.md has the statements."
            ) from None
        raise


def _is_admitted(connection: Connection, role: str) -> bool:
    exists = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(exists, {"role": role}).first() is None:
        return False
    admitted = text("SELECT has_column_privilege(:role, :table, :column, 'SELECT')")
    return all(
        connection.execute(admitted, {"role": role, "table": relation.table, "column": column}).scalar()
        for relation in RELATIONS.values()
        for column in relation.columns[-1:]  # a grant is for all columns or none
    )


def _make(connection: Connection, role: str, password: str) -> None:
    exists = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
    if connection.execute(exists, {"role": role}).first() is None:
        attributes = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOINHERIT NOREPLICATION CONNECTION LIMIT 8"
        connection.exec_driver_sql(f"CREATE ROLE {role} {attributes} PASSWORD '{password}'")
    for relation in RELATIONS.values():
        columns = ", ".join(f'"{column}"' for column in relation.columns)
        connection.exec_driver_sql(f'GRANT SELECT ({columns}) ON "{relation.table}" TO {role}')


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0].removesuffix(".")
