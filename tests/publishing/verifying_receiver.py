"""A receiver of webhooks on this machine, which verifies signatures as a customer's would."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Semaphore, Thread
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from workflows.client import ExpediterClient


class VerifyingReceiver(ThreadingHTTPServer):
    """Keeps the ``events`` of the requests that were signed with its endpoint's secret; refuses all others.

    ``arrived`` is released for each event.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.events: list[Any] = []
        self.secret = ""
        self.arrived = Semaphore(0)

    def register(self, service: ExpediterClient, types: list[str] | None = None) -> str:
        """Register an endpoint for this receiver, which is enabled once the secret is known here; return its id."""
        url = f"http://127.0.0.1:{self.server_port}/"
        endpoint = service.register_webhook(url, types or [], key="verifying", enabled=False)
        self.secret = endpoint["secret"]
        service.change_webhook(endpoint["id"], enabled=True)
        return endpoint["id"]


class _Handler(BaseHTTPRequestHandler):
    server: VerifyingReceiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            self.server.events.append(Webhook(self.server.secret).verify(body, dict(self.headers)))
        except WebhookVerificationError:
            self.send_error(401)
            return
        self.server.arrived.release()
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@contextmanager
def receiving() -> Iterator[VerifyingReceiver]:
    """Run a receiver."""
    with VerifyingReceiver() as receiver:
        thread = Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield receiver
        finally:
            receiver.shutdown()
            thread.join()
