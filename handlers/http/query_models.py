"""The body of a query with SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from handlers.http.models import example
from handlers.http.moments import TIME_SCHEMA, read_time
from handlers.http.values import Strict
from workflows.queries.answers import ROWS_MAX
from workflows.queries.statement import SQL_MAX


class QueryBody(Strict):
    """A query over `events`, `orders`, `ledger`, `taxes` and `accesses`, whose columns docs/audit.md lists."""

    model_config = example(
        sql="SELECT type, count(*) AS events FROM events GROUP BY type ORDER BY events DESC", limit=20
    )

    sql: Annotated[
        str,
        StringConstraints(min_length=1, max_length=SQL_MAX),
        Field(description="One SELECT, in the dialect of the views' database: SQLite or PostgreSQL."),
    ]
    as_of: Annotated[
        datetime | None,
        BeforeValidator(read_time),
        WithJsonSchema(TIME_SCHEMA),
        Field(description="Leave out what was recorded after this time. `orders` cannot be read so."),
    ] = None
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX, description="The most rows of the answer.")] = 100
