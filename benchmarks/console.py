"""The console in a browser: its first load, an order of 200 events under the slider, and a list of 100,000 orders.

Chromium runs headless on this machine and reads from an engine on the loopback. The first load counts from the
navigation, with an empty cache and a CPU slowed four times, until the page has its heading; bytes are as sent,
compressed. Frames are counted while the page changes in every one of them: the slider moves, a list scrolls. The long
list is compared with one of 100 orders, on a folder filled by ``benchmarks.filled``. Each part is named on standard
error when it begins: filling 100,000 orders and building their views takes minutes.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import median, quantiles
from typing import TYPE_CHECKING

from benchmarks import filled
from benchmarks.options import options
from benchmarks.results import Beside, Row, at_least, at_most, publish
from tests.console.stage import chromium
from workflows.cli.connection import minted
from workflows.cli.console_command import one_time_login
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import STORIES
from workflows.client import ExpediterClient

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SLOWED = 4
EVENTS = 200
FRAMES = 240
MODULES_WITHIN_MS = 2_000

_FIRST_HEADING = """
new MutationObserver((_, watch) => {
  if (document.querySelector('main h1')) { window.drawnAt = performance.now(); watch.disconnect() }
}).observe(document, { childList: true, subtree: true })
"""

_FRAMES = """
async ([count, what]) => {
  const slider = document.querySelector('.slider'), list = document.querySelector('.timeline ol')
  const box = slider?.getBoundingClientRect()
  const moves = {
    slide: i => slider.dispatchEvent(new PointerEvent('pointermove', {
      bubbles: true, buttons: 1, clientX: box.left + box.width * Math.abs(((2 * i / count) % 2) - 1) })),
    timeline: i => list.scrollTop = (list.scrollHeight - list.clientHeight) * Math.abs(((2 * i / count) % 2) - 1),
    page: i => scrollTo(0, i * 40),
  }
  const took = []
  let last = await new Promise(requestAnimationFrame)
  for (let i = 0; i < count; i += 1) {
    moves[what](i)
    const now = await new Promise(requestAnimationFrame)
    took.push(now - last)
    last = now
  }
  return took
}
"""


class Reader:
    """A new window of the browser in the role of support, logged in at a page."""

    def __init__(self, browser: Browser, running: EngineProcess, path: str, slowed: int = 1) -> None:
        self._context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.add_init_script(_FIRST_HEADING)
        session = self._context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Emulation.setCPUThrottlingRate", {"rate": slowed})
        addresses: dict[str, str] = {}
        self.sizes: dict[str, int] = {}
        session.on(
            "Network.requestWillBeSent", lambda sent: addresses.update({sent["requestId"]: sent["request"]["url"]})
        )
        session.on(
            "Network.loadingFinished",
            lambda done: self.sizes.update({addresses.get(done["requestId"], ""): int(done["encodedDataLength"])}),
        )
        code = one_time_login(running.url, minted(running.data, "support", "anna", 3600))["code"]
        self.page.goto(f"{running.url}/console/{path}#code={code}")
        self.page.wait_for_selector("main h1")

    def frames(self, what: str) -> list[float]:
        """Return how long each frame took, in milliseconds, while the page moved in every one."""
        took: list[float] = self.page.evaluate(_FRAMES, [FRAMES, what])
        return took

    def close(self) -> None:
        self._context.close()


def main() -> None:
    chosen = options(__doc__)
    path = chromium()
    if path is None:
        sys.exit("no chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    rounds, orders = chosen.size(7, 3), chosen.size(100_000, 2_000)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        _begin(f"playing an order, with notes until it has {EVENTS} events")
        with _with_a_long_order() as (running, order_id):
            rows = [*_first_loads(browser, running, order_id, rounds), *_movements(browser, running, order_id)]
        rows += _lists(browser, orders, rounds)
        browser.close()
    publish("console", rows, quick=chosen.quick, as_json=chosen.json)


@contextmanager
def _with_a_long_order() -> Iterator[tuple[EngineProcess, str]]:
    """Run an engine with a delivered order to which support added notes until it had 200 events."""
    with tempfile.TemporaryDirectory() as folder, engine(Path(folder), {}) as running:

        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, 3600))

        stories = [(STORIES[0], demo_order(Random("long"), STORIES[0].payment_method))]
        (played,) = play(stories, sign_in, "long", lambda _: None)
        order_id = played.view["id"]
        support = sign_in("support", "anna")
        for number in range(support.get(order_id)["version"], EVENTS):
            support.note(order_id, f"note {number}")
        yield running, order_id


def _first_loads(browser: Browser, running: EngineProcess, order_id: str, rounds: int) -> Iterator[Row]:
    for name, path in (("home", ""), ("an order of 200 events", f"orders/{order_id}")):
        took, sizes = [], {}
        for number in range(rounds):
            _begin(f"first load of {name}, {number + 1} of {rounds}")
            reader = Reader(browser, running, path, SLOWED)
            took.append(float(reader.page.evaluate("window.drawnAt")))
            reader.page.wait_for_timeout(MODULES_WITHIN_MS)  # the graph's library comes after the heading
            sizes = {url: size for url, size in reader.sizes.items() if "/console/" in url}
            reader.close()
        detail = {"rounds": rounds, "files": len(sizes), "CPU slowed": SLOWED}
        yield Row(
            name=f"first load: {name}", value=median(took) / 1000, unit="s", target=at_most(1, "value"), detail=detail
        )
        yield Row(name=f"bytes: {name}", value=sum(sizes.values()) / 1000, unit="KB", target=at_most(150, "value"))


def _movements(browser: Browser, running: EngineProcess, order_id: str) -> Iterator[Row]:
    for slowed in (1, SLOWED):
        reader = Reader(browser, running, f"orders/{order_id}", slowed)
        reader.page.wait_for_selector(".saga.ready")
        for what in ("slide", "timeline", "page"):
            _begin(f"{FRAMES} frames: {what}, CPU slowed {slowed} times")
            took = reader.frames(what)
            detail = {"frames": FRAMES, "p95 ms": round(quantiles(took, n=20)[-1], 1), "CPU slowed": slowed}
            target = at_least(50, "value") if slowed == 1 else None
            name = f"an order of 200 events, {what}{'' if slowed == 1 else ', CPU slowed 4 times'}"
            yield Row(name=name, value=1000 * FRAMES / sum(took), unit="frames/s", target=target, detail=detail)
        reader.close()


def _lists(browser: Browser, orders: int, rounds: int) -> Iterator[Row]:
    short, long = (_list(browser, number, rounds) for number in (100, orders))
    few = f"{100} orders"
    for name, unit in (
        ("first rows", "ms"),
        ("frame while it scrolls, p95", "ms"),
        ("nodes after it scrolled", "nodes"),
    ):
        yield Row(name=f"{orders:,} orders: {name}", value=long[name], unit=unit, peer=Beside(few, short[name]))


def _list(browser: Browser, orders: int, rounds: int) -> dict[str, float]:
    """Return what the list costs on an engine with so many orders."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent) / "data"
        _begin(f"filling a folder with {orders:,} orders")
        filled.main(folder, orders)
        _begin(f"building the views of {orders:,} orders")
        subprocess.run([sys.executable, "-m", "workflows.cli", "views", "rebuild", "--data", folder], check=True)
        with engine(folder, {}) as running:
            took = []
            for number in range(rounds):
                _begin(f"a list of {orders:,} orders, {number + 1} of {rounds}")
                reader = Reader(browser, running, "orders")
                before = float(reader.page.evaluate("window.drawnAt"))
                reader.page.wait_for_selector("tr.row")
                took.append(float(reader.page.evaluate("performance.now()")) - before)
                frames = reader.frames("page")
                nodes = reader.page.evaluate("document.querySelectorAll('main *').length")
                reader.close()
    return {
        "first rows": median(took),
        "frame while it scrolls, p95": quantiles(frames, n=20)[-1],
        "nodes after it scrolled": nodes,
    }


def _begin(part: str) -> None:
    print(f"{datetime.now(UTC):%H:%M:%S} {part}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
