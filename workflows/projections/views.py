"""All views of the log in SQL."""

from __future__ import annotations

from workflows.orders.blind_index import BlindIndex
from workflows.projections.access import ACCESS_VIEW
from workflows.projections.amounts import AMOUNTS_VIEW
from workflows.projections.approvals import APPROVALS_VIEW
from workflows.projections.events import EVENTS_VIEW
from workflows.projections.ledger import LEDGER_VIEW
from workflows.projections.menus import MENUS_VIEW
from workflows.projections.offers import OFFERS_VIEW
from workflows.projections.orders import orders_view
from workflows.projections.owed import OWED_VIEW
from workflows.projections.restaurants import RESTAURANTS_VIEW
from workflows.projections.taxes import TAXES_VIEW
from workflows.projections.tickets import TICKETS_VIEW
from workflows.projections.view import View


def all_views(blind_index: BlindIndex) -> tuple[View, ...]:
    """Return the views of a deployment, whose key computes its blind indexes."""
    return (
        LEDGER_VIEW,  # first: it folds the order step by step, and the others use that fold
        orders_view(blind_index),
        *(EVENTS_VIEW, TICKETS_VIEW, OFFERS_VIEW, APPROVALS_VIEW, OWED_VIEW, TAXES_VIEW, AMOUNTS_VIEW),
        *(RESTAURANTS_VIEW, MENUS_VIEW),
        ACCESS_VIEW,
    )
