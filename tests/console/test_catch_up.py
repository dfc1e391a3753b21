"""Lists follow the log a moment later, or cannot be read for one: a page shows the rest without a reload."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.console.conftest import Visit, eventually

if TYPE_CHECKING:
    from playwright.sync_api import Route, WebSocketRoute

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

    visit.page.route(_asking(listed.asked), answer)
    page = visit.open(listed.path, listed.role, visit.stage.restaurant if listed.role == "restaurant" else "anna")
    page.wait_for_selector(listed.shown)
    assert list(late) == []


def _as_if_whole(visit: Visit, asked: str) -> None:
    """Let the list say that it lacks nothing, so that it is not read again for that."""

    def answer(route: Route) -> None:
        response = route.fetch()
        found = response.json()
        if "as_of" in found:
            found["as_of"] |= {"lag_commits": 0, "complete": True, "includes": None}
        route.fulfill(response=response, json=found)

    visit.page.route(_asking(asked), answer)


def _asking(asked: str) -> re.Pattern[str]:
    return re.compile(rf"^(?!.*/console/).*/{asked}(\?|$)")


@pytest.mark.parametrize(
    ("path", "asked"), [("", "stats"), *((each, each) for each in ("orders", "incidents", "events"))]
)
def test_what_changed_before_the_subscription_is_read_once_it_stands(visit: Visit, path: str, asked: str) -> None:
    """The first answer may be whole, and the next change come before the engine tells of changes."""
    held: list[Route] = []
    visit.page.route("**/live-tickets", lambda route: held.append(route))  # noqa: PLW0108 - Playwright cannot wrap a method
    _as_if_whole(visit, asked)
    with visit.page.expect_response(_asking(asked)):
        page = visit.open(path)
    eventually(lambda: page.wait_for_timeout(20) or held)
    with page.expect_response(_asking(asked)):
        held[0].continue_()


def test_a_page_that_missed_too_much_reads_its_list_again_and_follows_from_then_on(visit: Visit) -> None:
    """The engine does not send changes of long ago: without this the page would look live and stay as it is."""
    opened: list[WebSocketRoute] = []
    sent: list[str] = []

    def between(socket: WebSocketRoute) -> None:
        engine = socket.connect_to_server()

        def pass_on(message: str | bytes) -> None:
            sent.append(str(message))
            if "since" in str(message):
                error = {"type": "urn:expediter:problem:TooFarBehind", "detail": "read the list again"}
                socket.send(json.dumps({"error": error, "topic": "orders"}))
            else:
                engine.send(message)

        socket.on_message(pass_on)
        opened.append(socket)

    visit.page.route_web_socket(re.compile("/live"), between)
    _as_if_whole(visit, "events")
    page = visit.open("events")
    eventually(lambda: page.wait_for_timeout(20) or sent)
    page.wait_for_selector("tr.row")
    visit.settle()
    with page.expect_response(_asking("events")):
        opened[0].close()
    assert ["since" in each for each in sent] == [False, True, False]
    page.unroute_all(behavior="wait")
    order = visit.stage.place("after too much was missed")
    page.wait_for_selector(f"tr.row a[href^='orders/{order}']")


def test_answers_that_take_longer_than_the_time_between_two_reads_are_shown(visit: Visit) -> None:
    """A page that reads every three seconds is not empty for good where each answer takes four."""
    visit.page.clock.install()
    held: list[Route] = []
    visit.page.route(_asking("views"), lambda route: held.append(route))  # noqa: PLW0108
    page = visit.open("views")
    eventually(lambda: page.wait_for_timeout(20) or held)
    for _ in range(2):
        page.clock.fast_forward(4_000)
    held[0].continue_()
    page.wait_for_selector("tr.row:has-text('orders')")


def test_a_log_that_is_paused_stays_as_it_is_though_it_lacks_changes(visit: Visit) -> None:
    """What it lacks is read when its reader goes on."""
    visit.page.clock.install()
    asked: list[str] = []

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        response = route.fetch()
        found = response.json()
        route.fulfill(response=response, json=found | {"as_of": found["as_of"] | BEHIND})

    visit.page.route(_asking("events"), answer)
    page = visit.open("events")
    page.wait_for_selector("tr.row")
    page.keyboard.press("p")
    page.wait_for_selector("button[aria-pressed=true]:has-text('Resume')")
    visit.settle()
    before = len(asked)
    page.clock.fast_forward(60_000)
    visit.settle()
    assert len(asked) == before
    with page.expect_response(_asking("events")):
        page.keyboard.press("p")


def test_executions_that_end_after_the_last_event_are_shown_as_ended(visit: Visit) -> None:
    """The machine of an order ends a moment after the event that ends the order."""
    late = iter(range(2))

    def answer(route: Route) -> None:
        response = route.fetch()
        found = response.json()
        if next(late, None) is not None:
            for execution in found["runs"][-1]["executions"]:
                execution |= {"status": "RUNNING", "stopped_at": None}
        route.fulfill(response=response, json=found)

    visit.page.route("**/runs", answer)
    page = visit.open(f"orders/{visit.stage.orders['delivered']}")
    page.wait_for_selector(".execution .badge:text-is('succeeded')")
    assert list(late) == []
