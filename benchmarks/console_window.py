"""A window of the browser for ``benchmarks.console``: logged in, with a slowed CPU, and the time that its acts take."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from tests.console.stage import chromium
from workflows.cli.connection import minted
from workflows.cli.console_command import one_time_login
from workflows.cli.demo.engine_process import EngineProcess

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

_FIRST_DRAWN = """
window.drawn = {}
new MutationObserver((_, watch) => {
  for (const [name, selector] of [['heading', 'main h1'], ['row', 'main tr.row']])
    if (!(name in drawn) && document.querySelector(selector)) drawn[name] = performance.now()
  if ('row' in drawn) watch.disconnect()
}).observe(document, { childList: true, subtree: true })
"""

_UNTIL = """
(given) => new Promise((resolve, reject) => {
  const seen = (done) => new Promise((found) => {
    const look = () => done() && (watch.disconnect(), found())
    const watch = new MutationObserver(look)
    watch.observe(document, { childList: true, subtree: true, attributes: true })
    look()
  })
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = done
    port2.postMessage(0)
  }))
  const rows = () => [...document.querySelectorAll('main tr.row [data-row]')].map((link) => link.getAttribute('href'))
  setTimeout(() => reject(new Error('the page did not change as it should')), %d)
  const began = performance.now()
  const act = async () => { %s }
  act().then(painted).then(() => resolve(performance.now() - began), reject)
})
"""

_QUIET = """
(quiet) => new Promise((resolve) => {
  let timer
  const again = () => (clearTimeout(timer), (timer = setTimeout(() => (watch.disconnect(), resolve()), quiet)))
  const watch = new MutationObserver(again)
  watch.observe(document, { childList: true, subtree: true, attributes: true })
  again()
})
"""
QUIET_MS = 400
PATIENCE_MS = 60_000


@contextmanager
def browser() -> Iterator[Browser]:
    """Run chromium without a screen."""
    path = chromium()
    if path is None:
        sys.exit("no chromium here: apt-get install chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"] if os.geteuid() == 0 else [])
        yield opened
        opened.close()


class Window:
    """A new window of the browser in the role of support, logged in at a page.

    ``sizes`` are the bytes of each address that was read, as sent.
    """

    def __init__(self, browser: Browser, running: EngineProcess, path: str, slowed: int = 1) -> None:
        self._context = browser.new_context(viewport={"width": 1440, "height": 900})
        self.page: Page = self._context.new_page()
        self.page.add_init_script(_FIRST_DRAWN)
        self._session = session = self._context.new_cdp_session(self.page)
        session.send("Network.enable")
        session.send("Performance.enable")
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

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self._context.close()

    def drawn_ms(self, what: str) -> float:
        """Return when the first heading or row was in the page, from the beginning of its load."""
        self.page.wait_for_function("what => what in drawn", arg=what)
        return float(self.page.evaluate("what => drawn[what]", what))

    def busy_ms(self) -> float:
        """Return for how long the page's main thread has worked."""
        found = self._session.send("Performance.getMetrics")["metrics"]
        return 1000 * next(float(each["value"]) for each in found if each["name"] == "TaskDuration")

    def settle(self) -> None:
        """Wait until nothing of the page has changed for a while."""
        self.page.evaluate(_QUIET, QUIET_MS)

    def took_ms(self, act: str, given: Any = None) -> float:
        """Return how long an act took until its last change was painted.

        Args:
            act: JavaScript with ``await seen(() => ...)`` for a change of the page, ``rows()`` for the addresses of
                the rows that are drawn, and ``given``.
        """
        return float(self.page.evaluate(_UNTIL % (PATIENCE_MS, act), given))
