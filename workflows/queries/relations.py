"""The relations that a query may read, with their columns: those of the views that hold nothing of a person.

A query sees each as a common table expression in front of its own text, so that ``SELECT *`` has these columns, and
``as_of`` leaves out what was recorded later.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Relation:
    """A part of a view.

    Args:
        name: In queries.
        table: Of the view.
        columns: Those of the table that may be read.
        recorded_at: The column with the time of recording, by which ``as_of`` selects; None for a relation that holds
            the state now.
        json: Columns with JSON, on which ``->>`` works.
    """

    name: str
    table: str
    columns: tuple[str, ...]
    recorded_at: str | None = None
    json: frozenset[str] = frozenset()


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


RELATIONS: Mapping[str, Relation] = {
    relation.name: relation
    for relation in (
        Relation(
            name="events",
            table="events",
            columns=_names(
                "order_id version type schema recorded_at actor_role actor_id correlation causation commit_version key "
                "hash customer restaurant reference data"
            ),
            recorded_at="recorded_at",
            json=frozenset({"data"}),
        ),
        Relation(
            name="orders",
            table="orders",
            columns=_names(
                "order_id version status run_state run customer restaurant courier currency total_minor at_stake_minor "
                "authorized_minor captured_minor refunded_minor credited_minor authorization_id capture_id placed_at "
                "changed_at authorized_at accepted_at ready_at assigned_at picked_up_at delivered_at ended_at "
                "authorization_ms acceptance_ms preparation_ms assignment_ms pickup_ms delivery_ms settlement_ms "
                "total_ms waiting_for waiting_since parked_error parked_cause dependency parked_since "
                "cancellation_cause fault offers approvals head"
            ),
        ),
        Relation(
            name="ledger",
            table="ledger",
            columns=_names(
                "order_id version entry event commit_version recorded_at day restaurant account party currency "
                "debit_minor credit_minor reference"
            ),
            recorded_at="recorded_at",
        ),
        Relation(
            name="taxes",
            table="taxes",
            columns=_names(
                "order_id version entry recorded_at day restaurant tax_class rate_bp currency gross_minor tax_minor"
            ),
            recorded_at="recorded_at",
        ),
        Relation(
            name="accesses",
            table="access",
            columns=_names(
                "access line read_at actor_role actor_id correlation route order_id customer fields reason request"
            ),
            recorded_at="read_at",
        ),
    )
}
