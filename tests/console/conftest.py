"""One engine with orders of every kind and one browser, for all tests of the console in a browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from workflows.cli.connection import minted
from workflows.cli.console_command import one_time_login
from workflows.cli.demo.engine_process import engine
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import ACCEPT, ASSIGN, DELIVER, PICK_UP, READY, STORIES, DemoStory
from workflows.client import ExpediterClient
from workflows.console.files import ConsoleFiles

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

REPOSITORY = Path(__file__).parents[2]
HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>{{7*7}}'
RIGHT_TO_LEFT = "\u0645\u0631\u064a\u0645 \u0627\u0644\u062d\u062f\u0627\u062f"

_DOOR = (ACCEPT, ASSIGN, READY, PICK_UP, DELIVER)
PLAYED = {
    "delivered": STORIES[0],
    "cancelled": STORIES[5],
    "short": STORIES[4],
    "parked": DemoStory("the capture is refused", _DOOR, "pm_capture_refused"),
    "parked too": DemoStory("the capture is refused again", _DOOR, "pm_capture_refused"),
}


@dataclass
class Stage:
    """A running engine, and its orders by what became of them."""

    url: str
    data: Path
    sign_in: Callable[[str, str], ExpediterClient]
    orders: dict[str, str] = field(default_factory=dict)

    def place(self, kind: str, **contact: str) -> str:
        """Place an order that waits for its restaurant."""
        ordered = demo_order(Random(kind), "pm_ok")
        body: Any = {**ordered.body, "contact": {**ordered.body["contact"], **contact}}
        if contact.get("note"):
            body["kitchen_note"] = contact["note"]
        order = self.sign_in("customer", ordered.customer).place(body, f"stage-{kind.replace(' ', '-')}")
        self.orders[kind] = order["id"]
        return order["id"]

    def login(self, role: str, subject: str, path: str = "") -> str:
        """Return an address that opens a page logged in."""
        code = one_time_login(self.url, minted(self.data, role, subject, 3600))["code"]
        return f"{self.url}/console/{path}#code={code}"


def _chromium() -> str | None:
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's chromium, never a downloaded one."""
    path = _chromium()
    if path is None:
        pytest.skip("no chromium here: apt-get install chromium")
    if ConsoleFiles().missing():
        pytest.skip("the console's libraries are not installed here: make console")
    from playwright.sync_api import sync_playwright

    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=options)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def stage(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An engine whose restaurants and couriers have minutes to answer, with orders that ended, are parked, and wait."""
    with engine(tmp_path_factory.mktemp("stage"), {}) as running:

        @cache
        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, 3600))

        stage = Stage(running.url, running.data, sign_in)
        stories = [(story, demo_order(Random(name), story.payment_method)) for name, story in PLAYED.items()]
        for name, played in zip(PLAYED, play(stories, sign_in, "stage", lambda _: None), strict=True):
            stage.orders[name] = played.view["id"]
        stage.place("waiting")
        stage.place("to cancel")
        stage.place("to accept")
        stage.place("hostile", name=HOSTILE, address=HOSTILE, note=HOSTILE)
        stage.place("right to left", name=RIGHT_TO_LEFT)
        yield stage


class Visit:
    """A window of the browser that collects what must not happen: errors, violations of the policy, other hosts."""

    def __init__(self, page: Page, stage: Stage) -> None:
        self.page = page
        self.stage = stage
        self.faults: list[str] = []
        page.add_init_script(
            "addEventListener('securitypolicyviolation', "
            "e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI}`))"
        )
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda line: line.type == "error" and self._note(line.text))
        page.on(
            "request", lambda sent: sent.url.startswith((stage.url, "blob:", "ws:")) or self.faults.append(sent.url)
        )

    def _note(self, text: str) -> None:
        if "Failed to load resource" not in text and "ERR_INTERNET_DISCONNECTED" not in text:  # answers that are errors
            self.faults.append(text)

    def open(self, path: str = "", role: str = "support", subject: str = "anna") -> Page:
        """Open a page in a role, and wait until it is drawn."""
        self.page.goto(self.stage.login(role, subject, path))
        self.page.wait_for_selector("#main:not(.login)")
        self.page.wait_for_selector("main :is(h1, .notice)")
        return self.page


@pytest.fixture
def visit(browser: Browser, stage: Stage) -> Iterator[Visit]:
    """A new window. At its end nothing must have gone wrong in it."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", timezone_id="Europe/Rome"
    )
    context.set_default_timeout(15_000)
    visit = Visit(context.new_page(), stage)
    yield visit
    context.close()
    assert visit.faults == []
