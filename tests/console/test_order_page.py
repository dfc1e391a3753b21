"""The order's page in a real browser: the receipt, the executions, the signed history, the provider's side."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.console.conftest import Visit, axe
from tests.console.stage import REPOSITORY
from workflows.cli.checkpoint_commands import checkpoint


def test_a_finished_order_shows_its_receipt_its_executions_and_the_providers_side(visit: Visit) -> None:
    """The receipt is the stored one, each state of an execution is listed, and both sides of the money agree."""
    order = visit.stage.orders["short"]
    support = visit.stage.sign_in("support", "anna")
    page = visit.open(f"orders/{order}")
    receipt = page.locator("section.receipt")
    receipt.locator("text=Paid").wait_for()
    name = receipt.locator("strong >> nth=0").inner_text()
    page.locator(f".order-facts a[href^='orders?restaurant=']:has-text('{name}')").wait_for()
    assert support.receipt(order)["paid"]["amount"] in receipt.inner_text()
    with page.expect_download() as saved:
        receipt.locator("button:text('PDF')").click()
    assert Path(saved.value.path()).read_bytes().startswith(b"%PDF")
    assert saved.value.suggested_filename == f"receipt-{order}-{support.get(order)['version']}.pdf"
    assert "agree with the ledger" in page.inner_text(".provider")

    executions = support.runs(order)["runs"][-1]["executions"] or []
    page.click(".execution summary >> nth=0")
    page.wait_for_selector(".execution[open] .states tbody tr")
    (whole,) = (each for each in executions if each["machine"] == "order")
    assert page.locator(".execution[open] .states tbody tr").count() == len(whole["states"])
    page.click(".execution[open] >> text=Events of the engine")
    page.wait_for_selector("dialog code:has-text('ExecutionSucceeded')")
    assert axe(visit) == []
    page.keyboard.press("Escape")
    page.click(".event >> nth=0")
    page.wait_for_selector("section.receipt", state="detached")
    assert page.locator(".provider").count() == 0  # the provider had answered nothing yet


def test_the_signed_history_is_what_an_outside_party_can_verify(visit: Visit, tmp_path: Path) -> None:
    """The file is the API's answer byte for byte; an event that no checkpoint has yet is said to have none."""
    order = visit.stage.orders["delivered"]
    checkpoint(data=visit.stage.data)
    page = visit.open(f"orders/{order}")
    with page.expect_download() as saved:
        page.click("text=Export signed history")
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    verifier = REPOSITORY / "packaging" / "verify" / "expediter_verify.py"
    subprocess.run([sys.executable, verifier, file], check=True, capture_output=True)
    page.click("section.evidence >> text=Proof:")
    page.click("section.evidence >> text=Look it up")
    page.wait_for_selector("section.evidence >> text=/place \\d+ of \\d+/")
    page = visit.open(f"orders/{visit.stage.place('after the checkpoint')}")
    page.click("section.evidence >> text=Proof:")
    page.click("section.evidence >> text=Look it up")
    page.wait_for_selector("section.evidence .attention")


def test_the_graph_of_a_cancelled_order_shows_what_was_stopped_and_nothing_as_failed(visit: Visit) -> None:
    """The cancellation ended the waits and left nothing to settle, as designed; the way back was taken."""
    page = visit.open(f"orders/{visit.stage.orders['cancelled']}")
    page.wait_for_selector(".saga.ready")
    states = page.locator(".saga .node")
    shown = dict(states.evaluate_all(_PROGRESS))
    assert "failed" not in shown.values()
    assert {shown[name] for name in ("Await readiness", "Request courier", "Settle payment")} == {"stopped"}
    assert (shown["Authorize payment"], shown["Compensate"]) == ("done", "done")
    assert "Settle payment: stopped, because the order was cancelled." in page.inner_text(".graph-ends")
    assert page.locator(".saga .takes-back.taken").count() == 3  # the hold, the ticket and the offer, and no capture
    assert page.locator(".saga .takes-back").count() == 4
    page.click(".event:has-text('CourierReleaseRequested')")  # all three are asked for, and nothing is taken back yet
    page.wait_for_selector(".past-note")
    page.wait_for_selector(".saga .takes-back.taken", state="detached")


def test_what_is_asked_back_is_not_yet_said_to_be_taken_back(visit: Visit) -> None:
    """Under the graph stands how far it is: the request at first, and then the report."""
    order = visit.stage.orders["cancelled"]
    events = visit.stage.sign_in("support", "anna").timeline(order)["events"]
    (asked,) = (event["version"] for event in events if event["type"] == "PaymentVoidRequested")
    page = visit.open(f"orders/{order}?at={asked}")
    held = page.locator(".graph-ends li", has_text="Payment authorized")
    held.locator("text=is being taken back: Release of the authorization requested").wait_for()
    page.keyboard.press("l")
    held.locator("text=was taken back: Authorization released").wait_for()


def test_every_way_out_of_an_incident_that_the_api_plans_is_offered(visit: Visit) -> None:
    """Also the one that the others are refused in favour of: to write off the capture that was refused."""
    order = visit.stage.orders["parked"]
    plans = visit.stage.sign_in("support", "anna").why(order)["plans"]
    (uncollected,) = (name for name, plan in plans.items() if name.startswith("write_off") and not plan["refused"])
    page = visit.open(f"orders/{order}")
    offer = page.locator(f".offers li:has-text('Write off event {uncollected.split()[1]}: Capture of')")
    assert "the order stays delivered" in offer.inner_text()
    offer.locator("button").click()
    page.wait_for_selector("dialog .preview code:text-is('WrittenOff')")
    page.keyboard.press("Escape")


_PROGRESS = """nodes => nodes.map(node => [
    [...node.querySelectorAll(':scope > text:not(.since)')].map(each => each.textContent).join(' '),
    node.dataset.progress])"""


def test_support_sends_a_webhook_again_after_a_preview_and_sees_what_the_receiver_answered(visit: Visit) -> None:
    """The page names the delivery that failed, with its code; the preview says what is sent where."""
    order = visit.stage.orders["cancelled"]
    page = visit.open(f"orders/{order}")
    failed = page.locator(".deliveries li", has_text="order cancelled")
    failed.locator("code:text-is('500')").first.wait_for()
    page.click(".offers li:has-text('Resend webhooks') button")
    dialog = page.locator("dialog")
    dialog.locator("li:has-text('order cancelled'):has-text('is sent now to http://127.0.0.1')").wait_for()
    assert axe(visit) == []
    visit.stage.refused.clear()
    dialog.locator("button.primary").click()
    dialog.locator("text=204 after").wait_for()
    page.keyboard.press("Escape")
    page.wait_for_selector(".offers li:has-text('Resend webhooks')", state="detached")
    sent = visit.stage.sign_in("support", "anna").order_webhook_deliveries(order)["deliveries"]
    (again,) = (each for each in sent if each["type"] == "expediter.order.cancelled.v1")
    assert (again["status"], again["attempts"][-1]["http"]) == ("delivered", 204)


def test_the_page_of_an_order_fits_a_phone(visit: Visit) -> None:
    """Its tables scroll by themselves; the page needs no sideways scrolling."""
    visit.page.set_viewport_size({"width": 390, "height": 844})
    page = visit.open(f"orders/{visit.stage.orders['short']}")
    page.wait_for_selector("section.receipt")
    page.click(".execution summary >> nth=0")
    page.wait_for_selector(".execution[open] .states tbody tr")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page = visit.open(f"orders/{visit.stage.orders['parked']}")
    page.wait_for_selector(".saga.ready .node[data-progress=failed]")
    node, box = (page.locator(each).bounding_box() for each in (".node[data-progress=failed]", ".graph-box"))
    assert node
    assert box
    assert box["x"] <= node["x"], "the graph is scrolled to the state that failed"
    assert node["x"] + node["width"] <= box["x"] + box["width"]


_DRAG = """
async ([busy, frames]) => {
  const slider = document.querySelector('.slider'), box = slider.getBoundingClientRect()
  const title = [...document.querySelectorAll('h2')].find(each => each.textContent.startsWith('State after'))
  let drawn = 0
  const watch = new MutationObserver(() => {
    drawn += 1
    for (const end = performance.now() + busy; performance.now() < end;);
  })
  watch.observe(title, { subtree: true, characterData: true, childList: true })
  const began = performance.now()
  for (let i = 0; i < frames; i += 1) {
    const clientX = box.left + box.width * Math.abs(((4 * i / frames) % 2) - 1)
    slider.dispatchEvent(new PointerEvent('pointermove', { bubbles: true, buttons: 1, clientX }))
    await new Promise(requestAnimationFrame)
  }
  watch.disconnect()
  return [drawn, performance.now() - began]
}
"""


def test_panels_that_are_slow_to_draw_leave_the_frames_to_the_slider(visit: Visit) -> None:
    """While the slider moves they take a fifth of the time at most; where it rests they show the chosen event."""
    page = visit.open(f"orders/{visit.stage.orders['delivered']}")
    page.wait_for_selector(".saga.ready")
    busy_ms = 60
    drawn, took_ms = page.evaluate(_DRAG, [busy_ms, 90])
    assert drawn > 1, "they follow while it moves"
    assert (drawn - 2) * 5 * busy_ms <= took_ms
    version = page.get_attribute(".slider", "aria-valuenow")
    page.wait_for_selector(f"h2:text-is('State after event {version}')")


def test_an_order_on_paper_has_every_event_and_no_control(visit: Visit) -> None:
    """Paper is light in every theme, says in which zone its times are, and cuts no hash short."""
    order = visit.stage.orders["short"]
    hashes = {event["hash"] for event in visit.stage.sign_in("support", "anna").timeline(order)["events"]}
    visit.page.add_init_script("localStorage.setItem('expediter-settings', JSON.stringify({theme: 'dark'}))")
    page = visit.open(f"orders/{order}")
    page.wait_for_selector(".execution")
    page.emulate_media(media="print")
    events = page.locator(".timeline .event .words")
    assert events.count() > 10
    assert all(event.is_visible() for event in events.all())
    assert page.evaluate("(list => list.scrollHeight <= list.clientHeight)(document.querySelector('.timeline ol'))")
    assert page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor") == "rgb(255, 255, 255)"
    assert "Times without a zone are in Europe/Rome" in page.inner_text("main")
    shown = page.locator(".evidence .copy code").evaluate_all(
        "all => all.map(e => getComputedStyle(e, 'after').content)"
    )
    assert any(each.strip('"') in hashes for each in shown)
    assert page.locator(".evidence dt:text-is('Hash')").is_visible()
    for gone in ("button:visible:not(.event > button):not(td button)", ".can-do:visible", ".contact form:visible"):
        assert page.locator(gone).count() == 0, gone
    page.emulate_media(media="screen")
    assert page.locator(".on-paper").is_hidden()
