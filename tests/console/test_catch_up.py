"""Lists follow the log a moment later, or cannot be read for one: a page shows the rest without a reload."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.console.conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Route

BEHIND = {"lag_commits": 3, "lag_s": 0.4, "complete": True, "includes": None}
NOT_BUILT = {"recorded_at": None, "lag_commits": None, "lag_s": None, "complete": False, "includes": None}
UNAVAILABLE = {"type": "urn:expediter:problem:ViewsUnavailable", "title": "Views unavailable", "status": 503}


class Listed(NamedTuple):
    """A page, what it asks the API for, the field with the rows, and where they are seen."""

    path: str
    asked: str
    rows: str
    shown: str
    role: str = "support"


PAGES = [
    Listed("orders", "orders", "orders", "tr.row a[data-row]"),
    Listed("events", "events", "events", "tr.row button[data-row]"),
    Listed("", "stats", "groups", "a.tile:has-text('Completed') strong:text-matches('^[1-9]')"),
    Listed("tickets", "tickets", "tickets", ".ticket", "restaurant"),
]


@pytest.mark.parametrize("age", [BEHIND, NOT_BUILT, None], ids=["behind", "not built", "unavailable"])
@pytest.mark.parametrize("listed", PAGES, ids=lambda listed: listed.asked)
def test_a_list_that_lacks_changes_is_read_again_until_it_has_them(
    visit: Visit, listed: Listed, age: dict[str, Any] | None
) -> None:
    """No change comes by the socket any more: all of them were recorded before the page was opened."""
    late = iter(range(3))

    def answer(route: Route) -> None:
        is_late = next(late, None) is not None
        if is_late and age is None:
            return route.fulfill(status=503, json=UNAVAILABLE)
        response = route.fetch()
        found = response.json()
        if is_late and age is not None:
            found |= {listed.rows: [], "next": None, "as_of": found["as_of"] | age}
        return route.fulfill(response=response, json=found)

    visit.page.route(re.compile(rf"^(?!.*/console/).*/{listed.asked}(\?|$)"), answer)
    page = visit.open(listed.path, listed.role, visit.stage.restaurant if listed.role == "restaurant" else "anna")
    page.wait_for_selector(listed.shown)
    assert list(late) == []
