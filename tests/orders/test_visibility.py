"""The fields of every event that each role sees: each cell of the table in docs/visibility.md.

Run this file to write the page again after the table has changed: ``python -m tests.orders.test_visibility``. Then read
its diff: each changed cell is data that an audience sees from now on, or no longer sees.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import SYSTEM
from domain.order.events import (
    ApprovalGiven,
    ApprovalRejected,
    ApprovalRequested,
    CreditGranted,
    IncidentAssigned,
    OrderAbandoned,
    PaymentLookupRequested,
    ReportedOnBehalf,
    WrittenOff,
)
from domain.order.order import initial
from tests.domain.order import stories as s
from tests.event_store.test_golden import sample
from tests.recorded import META
from workflows.engine import EVENT_TYPES
from workflows.event_store.commits import Opaque, RecordedEvent
from workflows.orders.json_values import plain
from workflows.orders.permissions import PERMISSIONS, Action
from workflows.orders.views import event_view, order_view
from workflows.orders.visibility import OPERATORS, READERS, VISIBILITY, Audience, audience_of, visible
from workflows.orders.words import WITHHELD
from workflows.publishing.cloud_events import cloud_events

PAGE = Path(__file__).parents[2] / "docs" / "visibility.md"
BEGIN = "<!-- written by tests/orders/test_visibility.py -->\n"
KINDS = pytest.mark.parametrize("kind", list(EVENT_TYPES.by_class), ids=lambda kind: kind.__name__)
AUDIENCES = pytest.mark.parametrize("audience", list(Audience), ids=str)
PERSONAL = [(kind.cls, field) for kind in EVENT_TYPES.by_class.values() for field in kind.personal]
ORDER = str(s.ORDER_ID)


def recorded(event: Any) -> RecordedEvent:
    return RecordedEvent(1, event, "key", "2026-05-04T12:00:00.000000Z", META)


def on_page() -> dict[tuple[str, str, str], bool]:
    """Read the page: whether an audience sees a field, by event, field and audience. The field is "" for the event."""
    lines = [line.split("|")[1:-1] for line in PAGE.read_text().partition(BEGIN)[2].splitlines()]
    rows = [[cell.strip().strip("`") for cell in line] for line in lines]
    return {
        (event, field, audience): cell == "yes"
        for event, field, *cells in rows[2:]
        for audience, cell in zip(rows[0][2:], cells, strict=True)
    }


SEEN = on_page()
AUDITED = {CreditGranted, WrittenOff, OrderAbandoned, ApprovalRequested, ApprovalGiven, ApprovalRejected}
AUDITED |= {IncidentAssigned, PaymentLookupRequested, ReportedOnBehalf}
"""Changes by support, whose reasons auditors read."""


@KINDS
def test_every_event_class_and_each_of_its_fields_has_an_entry(kind: type[Any]) -> None:
    """A new field is neither shown to every audience nor hidden by accident: its author decides."""
    assert set(VISIBILITY[kind].fields) == {field.name for field in dataclasses.fields(kind)}
    assert all(seen_by <= VISIBILITY[kind].event for seen_by in VISIBILITY[kind].fields.values())


def test_no_row_is_of_an_event_that_is_never_recorded() -> None:
    """The table and the event types agree."""
    assert set(VISIBILITY) == set(EVENT_TYPES.by_class)


@KINDS
@AUDIENCES
def test_every_cell_of_the_page_is_what_an_audience_gets(kind: type[Any], audience: Audience) -> None:
    """As on the page: in the history, where ``(withheld)`` stands for a hidden field, and in the events on the bus."""
    event = sample(kind)
    fields = {field.name for field in dataclasses.fields(kind) if SEEN[kind.__name__, field.name, audience]}
    expected = {name: plain(getattr(event, name)) for name in fields}
    if not SEEN[kind.__name__, "", audience]:
        assert visible(event, audience) is None
        assert event_view(recorded(event), audience) is None
    else:
        assert visible(event, audience) == expected
        view = event_view(recorded(event), audience)
        assert view is not None
        hidden = {field.name: WITHHELD for field in dataclasses.fields(kind) if field.name not in fields}
        assert view["data"] == expected | hidden
    if audience is Audience.SUBSCRIBER:
        published = [dict(each.data) for each in cloud_events(ORDER, [recorded(event)])]
        assert published == ([expected] if SEEN[kind.__name__, "", audience] else [])


def test_the_page_has_a_row_for_every_field_and_no_other() -> None:
    """It is written from the table."""
    assert PAGE.read_text().partition(BEGIN)[2] == table()


@pytest.mark.parametrize(("kind", "field"), PERSONAL, ids=[f"{kind.__name__}.{field}" for kind, field in PERSONAL])
def test_personal_data_never_reaches_auditors_subscribers_and_couriers_who_do_not_bring_the_meal(
    kind: type[Any], field: str
) -> None:
    """They do not need it. The reason of a change is written for auditors."""
    if field in {"reason", "said_by"} and Audience.AUDITOR in VISIBILITY[kind].fields[field]:
        assert kind in AUDITED
        return
    outside = {Audience.AUDITOR, Audience.SUBSCRIBER, Audience.COURIER}
    assert not VISIBILITY[kind].fields[field] & outside


def test_an_event_of_a_newer_release_is_shown_to_operators_alone() -> None:
    """Its fields have no entries here."""
    unknown = Opaque("OrderTeleported", 1, {"to": "moon"})
    assert {audience for audience in Audience if visible(unknown, audience) is not None} == OPERATORS


@pytest.mark.parametrize("role", sorted(PERMISSIONS[Action.READ]), ids=str)
def test_every_role_that_may_read_orders_is_an_audience(role: Any) -> None:
    """Apart from couriers it does not depend on the order."""
    actor = dataclasses.replace(SYSTEM, role=role)
    assert audience_of(actor) is audience_of(actor, initial(s.ORDER_ID)) is Audience(role.value)


@pytest.mark.parametrize("audience", sorted(READERS), ids=str)
def test_the_order_shows_what_its_events_show_and_no_more(audience: Audience) -> None:
    """Contact, payment method and the reason of a cancellation come from events with an entry each."""
    order = s.given(*s.AUTHORIZED, s.cancel()).order
    assert order.placed is not None
    view = order_view(order, audience)
    assert (view["contact"] != WITHHELD) is SEEN["OrderPlaced", "contact", audience]
    assert (view["payment"]["method"] != WITHHELD) is SEEN["OrderPlaced", "payment_method", audience]
    assert view["cancellation"] is not None
    assert (view["cancellation"]["reason"] != WITHHELD) is SEEN["CancellationRequested", "reason", audience]


def table() -> str:
    """Return the table of the page."""
    audiences = list(Audience)
    lines = [_line("event", "field", *audiences), "|---|---|" + "---|" * len(audiences)]
    for kind, sight in VISIBILITY.items():
        for field, seen_by in [("", sight.event), *sight.fields.items()]:
            cells = ("yes" if audience in seen_by else "" for audience in audiences)
            lines.append(_line(f"`{kind.__name__}`", field and f"`{field}`", *cells))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    PAGE.write_text(PAGE.read_text().partition(BEGIN)[0] + BEGIN + table())
