"""An engine with orders of every kind, for the tests of the console in a browser and for its pictures."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from random import Random
from typing import Any

from workflows.cli.connection import minted
from workflows.cli.console_command import one_time_login
from workflows.cli.demo.engine_process import engine
from workflows.cli.demo.menu import demo_order
from workflows.cli.demo.play import play
from workflows.cli.demo.stories import ACCEPT, ASSIGN, DELIVER, PICK_UP, READY, STORIES, DemoStory
from workflows.client import ExpediterClient

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
    """A running engine, and its orders by what became of them.

    ``refused`` has the types of events that the receiver of webhooks answers with 500.
    """

    url: str
    data: Path
    sign_in: Callable[[str, str], ExpediterClient]
    refused: set[str]
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

    @property
    def restaurant(self) -> str:
        """The restaurant of the order that waits."""
        return self.sign_in("support", "anna").get(self.orders["waiting"])["restaurant"]

    def login(self, role: str, subject: str, path: str = "") -> str:
        """Return an address that opens a page logged in."""
        code = one_time_login(self.url, minted(self.data, role, subject, 3600))["code"]
        return f"{self.url}/console/{path}#code={code}"


def chromium() -> str | None:
    """The path of a chromium on this machine, if there is one."""
    return next(
        (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
    )


@contextmanager
def open_stage(folder: Path) -> Iterator[Stage]:
    """Run an engine with orders that ended, are parked, and wait: restaurants and couriers have minutes to answer."""
    refused = {"expediter.order.cancelled.v1"}
    with _receiver(refused) as url, engine(folder, {"WebhookTargets": "any"}) as running:

        @cache
        def sign_in(role: str, subject: str) -> ExpediterClient:
            return ExpediterClient(running.url, minted(running.data, role, subject, 3600))

        stage = Stage(running.url, running.data, sign_in, refused)
        sign_in("service", "loyalty").register_webhook(url, description="loyalty points")
        stories = [(story, demo_order(Random(name), story.payment_method)) for name, story in PLAYED.items()]
        for name, played in zip(PLAYED, play(stories, sign_in, "stage", lambda _: None), strict=True):
            stage.orders[name] = played.view["id"]
        stage.place("waiting")
        stage.place("to cancel")
        stage.place("to accept")
        stage.place("hostile", name=HOSTILE, address=HOSTILE, note=HOSTILE)
        stage.place("right to left", name=RIGHT_TO_LEFT)
        yield stage


@contextmanager
def _receiver(refused: set[str]) -> Iterator[str]:
    """Receive webhooks on a thread; yield the URL. Events of the types in ``refused`` are answered with 500."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(500 if event["type"] in refused else 204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Write no line for each request."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever, name="receiver", daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/loyalty"
        finally:
            server.shutdown()
            thread.join()


def publish_checkpoint(data: Path) -> None:
    """Publish the heads of the engine's log now, as ``expediter audit checkpoint`` does beside it."""
    from typer.testing import CliRunner

    from workflows.cli.main import app

    result = CliRunner().invoke(app, ["audit", "checkpoint", "--data", str(data)])
    assert result.exit_code == 0, result.output
