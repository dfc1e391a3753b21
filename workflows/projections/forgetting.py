"""Empty what the view ``orders`` holds of a person: the blind indexes of an erased customer."""

from __future__ import annotations

from sqlalchemy import update

from workflows.orders.blind_index import COLUMNS
from workflows.projections.orders import ORDERS
from workflows.projections.store import ViewStore, build_table


def forget_customer(store: ViewStore, customer: str) -> None:
    """Empty the blind indexes of a customer's orders, in the table that is read and in one that is being built.

    SQLite overwrites what is emptied, and its WAL is truncated. PostgreSQL keeps the old rows until its next VACUUM.

    Raises:
        SqlUnavailable: Retryable: yes.
    """
    with store.writing() as connection:
        build = store.builds(connection).get("orders")
        built = [] if build is None else [build_table(store.views["orders"], build.generation)]
        for table in (ORDERS, *built):
            emptied = update(table).where(table.c.customer == customer).values(dict.fromkeys(COLUMNS))
            connection.execute(emptied)
    store.database.forget()
