"""The form of actions in a real browser: sent only with the preview of its input, once, and to its answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.console.conftest import Visit

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

SEND = "dialog button.primary"
NOTE = "button[aria-label='Preview: Add a note']"
FORM = "**/action_form.js*"


def test_it_is_sent_only_while_the_preview_of_the_present_input_is_shown(visit: Visit) -> None:
    """No preview yet, one of another amount, and one that failed: none of them lets the request be sent."""
    order = visit.stage.place("previewed twice")
    page = _credit(visit, order)
    asked = _hold(page, "**/credits")
    page.fill("dialog input[type=number]", "1.00")
    page.fill("dialog textarea", "a dish was cold")
    _wait_for(page, asked, 1)
    page.keyboard.press("Control+Enter")
    page.press("dialog input[type=number]", "Enter")
    assert page.locator(SEND).is_disabled()
    asked.pop().continue_()
    page.wait_for_selector(f"{SEND}:not([disabled])")
    page.fill("dialog input[type=number]", "2.00")
    assert page.locator(SEND).is_disabled()
    page.wait_for_selector("dialog .stale[aria-busy=true] .preview")
    _wait_for(page, asked, 1)
    asked.pop().fulfill(status=503, body="{}")
    page.wait_for_selector("dialog [role=alert] >> text=Try again")
    assert page.locator(SEND).is_disabled()
    assert page.locator("dialog .preview").count() == 0
    page.click("dialog [role=alert] button")
    _wait_for(page, asked, 1)
    asked.pop().continue_()
    page.wait_for_selector("dialog .preview:has-text('2.00')")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    events = visit.stage.sign_in("support", "anna").history(order)
    assert "CreditGranted" not in [each["type"] for each in events]


def test_one_request_is_under_way_at_a_time_and_the_form_stays_until_its_answer(visit: Visit) -> None:
    """Neither Enter, Escape, Cancel nor a click beside it send it again or take it away."""
    order = visit.stage.place("credited once")
    page = _credit(visit, order)
    page.fill("dialog input[type=number]", "0.10")
    page.fill("dialog textarea", "a dish was cold")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    sent = _hold(page, "**/credits")
    page.evaluate("sends => document.querySelector(sends).form.requestSubmit()", SEND)
    page.evaluate("sends => document.querySelector(sends).form.requestSubmit()", SEND)
    _wait_for(page, sent, 1)
    page.wait_for_selector(f"{SEND}[disabled]:text('Sending')")
    page.press("dialog input[type=number]", "Enter")
    for _ in range(3):
        page.keyboard.press("Escape")
    page.mouse.click(5, 5)
    assert page.locator("dialog footer button:text-is('Cancel')").is_disabled()
    assert page.locator("dialog header button").is_disabled()
    assert page.locator("dialog[open]:modal").count() == 1
    assert len(sent) == 1
    sent.pop().continue_()
    page.wait_for_selector("dialog .outcome code:has-text('CreditGranted')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    events = visit.stage.sign_in("support", "anna").history(order)
    assert [each["type"] for each in events].count("CreditGranted") == 1


def test_a_request_whose_answer_was_lost_is_sent_again_as_the_same_one(visit: Visit) -> None:
    """The engine performed it: the second click under the same key gets what was recorded, and adds nothing."""
    order = visit.stage.place("noted once")
    page = visit.open(f"orders/{order}")
    page.click("button[aria-label='Preview: Add a note']")
    page.fill("dialog textarea", "the answer gets lost")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    keys: list[str | None] = []

    def lose(route: Route) -> None:
        keys.append(route.request.headers.get("idempotency-key"))
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/note", lose)
    page.click(SEND)
    page.wait_for_selector("dialog [role=alert] >> text=The engine does not answer")
    page.click(SEND)
    page.wait_for_selector("dialog .outcome code:has-text('NoteAdded')")
    assert len(keys) == 2
    assert len(set(keys)) == 1
    events = visit.stage.sign_in("support", "anna").history(order)
    assert [each["type"] for each in events].count("NoteAdded") == 1


def test_a_request_that_gets_no_answer_ends_and_can_be_sent_again(visit: Visit) -> None:
    """The form is not held for ever by an engine that hangs."""
    visit.page.clock.install()
    page = visit.open(f"orders/{visit.stage.place('not noted')}")
    page.click("button[aria-label='Preview: Add a note']")
    page.fill("dialog textarea", "nobody answers")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    _hold(page, "**/note")
    page.click(SEND)
    page.wait_for_selector(f"{SEND}[disabled]")
    page.clock.fast_forward(61_000)
    page.wait_for_selector("dialog [role=alert] >> text=The engine does not answer")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")


def test_a_refusal_stays_beside_the_new_preview(visit: Visit) -> None:
    """What was shown may no longer hold, so it is computed again, and the reason of the refusal is still read."""
    page = visit.open(f"orders/{visit.stage.place('refused once')}")
    page.click("button[aria-label='Preview: Add a note']")
    page.fill("dialog textarea", "refused once")
    page.wait_for_selector(f"{SEND}:not([disabled])")
    refusal = '{"type": "urn:problem:WrongExpectedVersion", "status": 412, "detail": "The order has changed."}'
    asked = _hold(page, "**/note")
    page.click(SEND)
    _wait_for(page, asked, 1)
    asked.pop().fulfill(status=412, body=refusal)
    _wait_for(page, asked, 1)
    assert page.locator(SEND).is_disabled()
    asked.pop().continue_()
    page.wait_for_selector(f"{SEND}:not([disabled])")
    assert "The order has changed." in page.inner_text("dialog [role=alert]")


def test_a_request_for_a_second_person_shows_what_its_approval_does_with_the_money_of_all(visit: Visit) -> None:
    """Nobody asks blindly: what the approver will read is read by who asks."""
    page = _credit(visit, visit.stage.place("asked for"))
    asked = _hold(page, "**/credits")
    page.fill("dialog input[type=number]", "52.30")
    _wait_for(page, asked, 1)
    nothing = {"runs": [], "money": [], "pay": [], "second_person_for": None, "once_approved": None, "refused": None}
    amount = {"amount": "52.30", "currency": "EUR"}
    approved = {
        **nothing,
        "events": ["ApprovalGiven"],
        "status": "cancelling",
        "money": [{"what": "refund", "amount": amount, "intent": 9}],
        "pay": [{"party": "restaurant", "id": "luigi", "amount": {"amount": "-49.80", "currency": "EUR"}}],
    }
    request = {"events": ["ApprovalRequested"], "status": "delivered", "second_person_for": amount}
    plan = {**nothing, **request, "once_approved": approved}
    asked.pop().fulfill(json={"order": None, "approvals": [], "plan": plan})
    page.wait_for_selector("dialog .preview >> text=Once approved")
    shown = page.inner_text("dialog .preview")
    assert "52.30 is refunded" in shown
    assert "49.80 is taken back from the restaurant luigi" in shown
    assert "ends as cancelled" in shown
    assert "No money moves" not in shown


def test_the_outcome_is_read_from_the_log_and_not_from_lists_that_follow_it(visit: Visit) -> None:
    """Lists may be behind for longer than a request waits for them; what was recorded is shown nevertheless."""
    page = visit.open(f"orders/{visit.stage.place('lists are behind')}")
    behind = {"recorded_at": None, "lag_commits": 1, "lag_s": 9.0, "complete": True, "includes": False}
    page.route("**/events?*", lambda route: route.fulfill(json={"events": [], "next": None, "as_of": behind}))
    page.click("button[aria-label='Preview: Add a note']")
    page.fill("dialog textarea", "the lists do not have it yet")
    page.click(f"{SEND}:not([disabled])")
    page.wait_for_selector("dialog .outcome code:has-text('NoteAdded')")


def test_a_press_is_seen_before_the_form_is_there_and_the_focus_goes_in_and_back(visit: Visit) -> None:
    """The form is another file, which a slow network delays: one dialog says so, however often it is pressed."""
    page = visit.open(f"orders/{visit.stage.place('slowly noted')}")
    held = _hold(page, FORM)
    page.focus(NOTE)
    page.evaluate("note => [1, 2].forEach(() => document.querySelector(note).click())", NOTE)
    page.wait_for_selector("dialog[open]:modal:has-text('Add a note') >> text=Loading the form")
    assert page.evaluate("document.activeElement.closest('dialog') !== null")
    _wait_for(page, held, 1)
    held.pop().continue_()
    page.wait_for_selector("dialog[open]:modal textarea:focus")
    assert page.locator("dialog").count() == 1
    page.click("dialog footer button:text-is('Cancel')")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector(f"{NOTE}:focus")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]:modal textarea:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.wait_for_selector(f"{NOTE}:focus")
    assert held == []


def test_a_form_that_could_not_be_loaded_is_loaded_once_the_engine_is_there(visit: Visit) -> None:
    """A browser keeps that an address had no answer: the file is asked for under another one."""
    page = visit.open(f"orders/{visit.stage.place('noted when back')}")
    page.route(FORM, lambda route: route.abort())
    page.click(NOTE)
    page.wait_for_selector("dialog [role=alert] >> text=The form could not be loaded")
    page.click("dialog button:text-is('Try again')")
    page.keyboard.press("Escape")
    page.wait_for_selector("dialog", state="detached")
    page.click(NOTE)
    page.wait_for_selector("dialog [role=alert]")
    page.unroute(FORM)
    page.click("dialog button:text-is('Try again')")
    page.wait_for_selector("dialog[open]:modal textarea:focus")
    page.keyboard.press("Escape")
    page.wait_for_selector(f"{NOTE}:focus")


def test_a_form_that_was_opened_offline_comes_by_itself(visit: Visit) -> None:
    """Whoever presses while the network is away waits, and needs no second press."""
    page = visit.open(f"orders/{visit.stage.place('opened offline')}")
    page.wait_for_selector(".live-note:has-text('live')")
    page.context.set_offline(True)
    page.wait_for_selector(".banner.offline")
    page.click(NOTE)
    page.wait_for_selector("dialog [role=alert] >> text=The form could not be loaded")
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    page.wait_for_selector("dialog[open]:modal textarea")


def _credit(visit: Visit, order: str) -> Page:
    page = visit.open(f"orders/{order}")
    page.click("button[aria-label='Preview: Grant a credit']")
    return page


def _hold(page: Page, pattern: str) -> list[Route]:
    """Hold each request from now on; return the list that they are put into."""
    held: list[Route] = []
    page.route(pattern, lambda route: held.append(route))  # noqa: PLW0108 - Playwright cannot wrap a method of a list
    return held


def _wait_for(page: Page, routes: list[Route], count: int) -> None:
    """Wait until the page has sent so many requests, which are held."""
    while len(routes) < count:
        page.wait_for_timeout(20)
