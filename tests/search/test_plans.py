"""How the database reads each list: through an index, however many rows there are. Plans do not depend on the machine.

The lists are those of ``benchmarks.search``, which measures them with a million orders.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from benchmarks.search_filling import fill
from benchmarks.search_lists import lists
from benchmarks.search_rows import Rows
from workflows.projections.views import all_views
from workflows.sql.database import SqlDatabase

ROWS = Rows(2_500)
"""More than a page of each list, and two open orders in a thousand."""

TABLES = frozenset(view.table.name for view in all_views(ROWS.index))
LISTS = lists(ROWS)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SqlDatabase]:
    file: Path = tmp_path_factory.mktemp("filled") / "views.sqlite"
    with SqlDatabase(file) as database:
        fill(database, ROWS, cores=1)
        yield database


@pytest.mark.parametrize("name", LISTS)
def test_no_list_reads_a_whole_table(filled: SqlDatabase, name: str) -> None:
    """Each statement looks rows up in an index, or walks the index of its order, which ends when the page is full."""
    steps = [step for _ in range(3) for step in plan(filled, name)]
    read = [step for step in steps if re.match(r"(SCAN|SEARCH) (\w+)", step) and step.split()[1] in TABLES]
    assert read, steps
    assert [step for step in read if " USING " not in step] == []
    assert not any("AUTOMATIC" in step for step in steps), "an index is made for one statement, from all rows"


@pytest.mark.parametrize("name", LISTS)
def test_a_list_that_walks_an_index_does_not_sort(filled: SqlDatabase, name: str) -> None:
    """A walk over all rows that is sorted afterwards reads all of them for one page."""
    steps = plan(filled, name)
    if any(step.startswith("SCAN") and step.split()[1] in TABLES for step in steps):
        assert not any("TEMP B-TREE" in step for step in steps), steps


def plan(database: SqlDatabase, name: str) -> list[str]:
    """Return the steps of all statements of one page of a list."""
    steps: list[str] = []
    with database.reading() as connection:

        def explained(_conn: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
            cursor.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
            steps.extend(str(row[-1]) for row in cursor.fetchall())

        event.listen(connection, "before_cursor_execute", explained)
        LISTS[name](connection, random.Random(name))
        event.remove(connection, "before_cursor_execute", explained)
    return steps
