"""How fast lists of orders, events and boards are with many orders stored, on SQLite and on PostgreSQL.

    python -m benchmarks.search

The rows are generated (``search_rows``). Each list (``search_lists``) is read in pages of 50, with other parameters
each time. ``--url`` names a database to fill once and to measure again; ``--plans`` prints how the database reads each
list.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

from sqlalchemy import event

from benchmarks.results import Row, at_most, publish
from benchmarks.search_filling import fill, is_filled
from benchmarks.search_lists import lists
from benchmarks.search_rows import Rows
from tests.sql.postgres import NoPostgres, postgres_server
from workflows.sql.database import SqlDatabase

Times: TypeAlias = dict[str, tuple[float, float]]
"""p50 and p95 in milliseconds by list."""


def measure(database: SqlDatabase, rows: Rows, reads: int, only: str) -> Times:
    """Read pages of each list whose name contains ``only``. The first read of each, which fills caches, counts."""
    took: Times = {}
    for name, page in lists(rows).items():
        if only not in name:
            continue
        chance, times = random.Random(name), []
        for _ in range(reads):
            began_s = time.perf_counter()
            with database.reading() as connection:
                page(connection, chance)
            times.append((time.perf_counter() - began_s) * 1000)
        took[name] = statistics.median(times), statistics.quantiles(times, n=20)[18]
    return took


def show_plans(database: SqlDatabase, rows: Rows, only: str) -> None:
    """Print how the database executes the statements of one page of each list."""
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN (ANALYZE, BUFFERS) "
    for name, page in lists(rows).items():
        if only not in name:
            continue
        print(f"\n--- {name}")
        with database.reading() as connection:

            def explained(_conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
                if not statement.startswith("EXPLAIN"):
                    cursor.execute(explain + statement, parameters)
                    print(*(f"    {row[-1]}" for row in cursor.fetchall()), sep="\n", end="\n\n")

            event.listen(connection, "before_cursor_execute", explained)
            page(connection, random.Random(name))
            event.remove(connection, "before_cursor_execute", explained)


def main() -> None:
    chosen = _arguments()
    rows = Rows(chosen.orders or (10_000 if chosen.quick else 1_000_000))
    took: dict[str, Times] = {}
    filled_s: dict[str, float] = {}
    with ExitStack() as opened:
        for kind in ("SQLite", "PostgreSQL") if not chosen.url else ("SQLite", "PostgreSQL")["://" in chosen.url :][:1]:
            try:
                database = opened.enter_context(SqlDatabase(_url(kind, chosen.url, opened)))
            except NoPostgres as reason:
                print(f"PostgreSQL is skipped: {reason}")
                continue
            print(f"{kind}: {rows.orders} orders", flush=True)
            if not is_filled(database, rows):
                began_s = time.monotonic()
                fill(database, rows, len(os.sched_getaffinity(0)))
                filled_s[kind] = time.monotonic() - began_s
            if chosen.plans:
                show_plans(database, rows, chosen.only)
            else:
                took[kind] = measure(database, rows, 10 if chosen.quick else chosen.reads, chosen.only)
    if took:
        whole = not chosen.only and not chosen.url and not chosen.orders and len(took) == 2  # both databases
        publish("search", _rows(rows, took, filled_s), quick=chosen.quick or not whole, as_json=False)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="10,000 orders and few reads; results are stored of whole runs on both alone",
    )
    parser.add_argument("--orders", type=int, help="orders to store; each has four events")
    parser.add_argument("--reads", type=int, default=100, help="reads of each list")
    parser.add_argument("--url", default="", help="a SQLite file or postgresql://...: filled unless it is, and kept")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the lists with this text in their names")
    parser.add_argument("--plans", action="store_true", help="print the plan of each statement instead of its time")
    return parser.parse_args()


def _url(kind: str, url: str, opened: ExitStack) -> str | Path:
    if url:
        return url if kind == "PostgreSQL" else Path(url)
    if kind == "PostgreSQL":
        return opened.enter_context(postgres_server()).new_database()
    return Path(opened.enter_context(tempfile.TemporaryDirectory())) / "views.sqlite"


def _rows(rows: Rows, took: dict[str, Times], filled_s: dict[str, float]) -> list[Row]:
    detail = {"orders": rows.orders}
    lengths = [
        Row(
            name=f"{name}, {kind}",
            value=p95,
            unit="ms",
            target=at_most(100, of="value"),
            detail={**detail, "p50_ms": round(p50, 2)},
        )
        for name in lists(rows)
        for kind, times in took.items()
        if name in times
        for p50, p95 in [times[name]]
    ]
    filled = [Row(name=f"filling {kind}", value=seconds, unit="s", detail=detail) for kind, seconds in filled_s.items()]
    return lengths + filled


if __name__ == "__main__":
    main()
