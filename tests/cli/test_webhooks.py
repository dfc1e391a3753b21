"""Webhooks from the command line, and the receiver of docs/webhooks.md, against an engine in its own process."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Expediter, eventually
from workflows.cli.demo.engine_process import EngineProcess, engine
from workflows.cli.order_commands import EXAMPLE

DOCS = Path(__file__).parents[2] / "docs" / "webhooks.md"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineProcess]:
    """An engine that may send webhooks to this machine."""
    with engine(tmp_path_factory.mktemp("engine"), {"WebhookTargets": "any"}) as process:
        yield process


@contextmanager
def receiver(folder: Path, secret: str, port: int = 0) -> Iterator[tuple[str, Path]]:
    """Run the receiver of the documentation; yield its URL and the file of the events it handled."""
    (code,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.S)
    script, handled = folder / "receiver.py", folder / "handled.jsonl"
    script.write_text(code)
    environment = {**os.environ, "WEBHOOK_SECRET": secret, "HANDLED": str(handled), "PORT": str(port)}
    command = [sys.executable, str(script)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip(), handled
        finally:
            process.terminate()


@pytest.fixture
def webhooks(expediter: Expediter, running: EngineProcess) -> Callable[..., Any]:
    """Run a command of ``expediter webhooks`` as a service, and return its JSON."""

    def command(*arguments: str, as_: str = "service:loyalty") -> Any:
        result = expediter("webhooks", *arguments, "--data", running.data, "--as", as_, "--json")
        assert result.code == 0, result.err
        return result.json

    return command


def handled_types(handled: Path) -> list[str]:
    return [json.loads(line)["type"] for line in handled.read_text().splitlines()] if handled.exists() else []


def test_the_receiver_of_the_documentation_gets_every_event_once(
    webhooks, expediter: Expediter, running: EngineProcess, tmp_path: Path, written
) -> None:
    """It verifies the signature, and ignores an event that it handled before."""
    endpoint = webhooks("add", "http://127.0.0.1:9/not-yet", "--description", "loyalty points")
    with receiver(tmp_path, endpoint["secret"]) as (url, handled):
        webhooks("remove", endpoint["id"])
        endpoint = webhooks("add", url)
        assert webhooks("test", endpoint["id"])["status"] == "failed", "the secret is another one"
    with receiver(tmp_path, endpoint["secret"], int(url.rpartition(":")[2])) as (_, handled):
        assert webhooks("test", endpoint["id"])["status"] == "delivered"
        order = written("order.json", json.dumps(EXAMPLE))
        placed = expediter("order", "place", order, "--key", "k-1", "--data", running.data, "--as", "customer:ada")
        assert placed.code == 0, placed.err
        eventually(lambda: "expediter.order.placed.v1" in handled_types(handled))
        (sent,) = [
            delivery
            for delivery in webhooks("deliveries", endpoint["id"])["deliveries"]
            if delivery["type"] == "expediter.order.placed.v1"
        ]
        assert [attempt["http"] for attempt in sent["attempts"]] == [204]
        assert len(webhooks("resend", sent["id"], as_="support:sam")["attempts"]) == 2
        assert handled_types(handled).count("expediter.order.placed.v1") == 1
        of_order = webhooks("order", sent["event"].partition("/")[0], as_="support:sam")["deliveries"]
        assert [len(each["attempts"]) for each in of_order if each["id"] == sent["id"]] == [2]


def test_a_rotated_secret_is_shown_once(webhooks) -> None:
    """The list and the endpoint itself never hold it."""
    endpoint = webhooks("add", "http://127.0.0.1:9/hooks", "--type", "expediter.order.completed.v1")
    rotated = webhooks("rotate", endpoint["id"])
    assert rotated["secret"] not in {endpoint["secret"], ""}
    assert rotated["previous_secret_until"] is not None
    assert "whsec_" not in json.dumps([webhooks("list"), webhooks("show", endpoint["id"])])
    webhooks("remove", endpoint["id"])


def test_an_endpoint_is_disabled_and_enabled(webhooks) -> None:
    """Its owner decides."""
    endpoint = webhooks("add", "http://127.0.0.1:9/hooks", "--type", "expediter.order.completed.v1")
    assert webhooks("disable", endpoint["id"])["status"] == "disabled"
    assert webhooks("enable", endpoint["id"])["status"] == "enabled"
    webhooks("remove", endpoint["id"])


def test_tables_show_endpoints_and_attempts(webhooks, expediter: Expediter, running: EngineProcess) -> None:
    """Support reads them at night; the secret is not in them."""
    endpoint = webhooks("add", "http://127.0.0.1:9/hooks", "--type", "expediter.order.completed.v1")
    webhooks("test", endpoint["id"])
    listed = expediter("webhooks", "list", "--data", running.data)
    assert endpoint["id"] in listed.out
    assert "expediter.order.completed.v1" in listed.out
    shown = expediter("webhooks", "deliveries", endpoint["id"], "--data", running.data)
    assert "failed expediter.webhook.test.v1" in shown.out
    assert "no connection" in shown.out
    webhooks("test", endpoint["id"])
    one = expediter(
        "webhooks", "deliveries", endpoint["id"], "--status", "failed", "--limit", "1", "--data", running.data
    )
    cursor = one.err.partition("--cursor ")[2].strip()
    rest = webhooks("deliveries", endpoint["id"], "--cursor", cursor)["deliveries"]
    assert [delivery["id"] for delivery in rest] == [shown.out.splitlines()[1].strip()]
    assert webhooks("deliveries", endpoint["id"], "--status", "delivered")["deliveries"] == []
    refused = expediter("webhooks", "deliveries", endpoint["id"], "--status", "broken", "--data", running.data)
    assert (refused.code, "pending, delivered, failed" in refused.err) == (1, True)
    assert "whsec_" not in listed.out + shown.out
    webhooks("remove", endpoint["id"])


@pytest.mark.parametrize(
    ("arguments", "role", "problem"),
    [
        (("add", "ftp://example.com/"), "service:loyalty", "must be a URL"),
        (("add", "https://example.com/", "--type", "order.placed"), "service:loyalty", "asyncapi.json"),
        (("add", "https://example.com/"), "support:sam", "Allowed: service"),
        (("list",), "customer:ada", "Allowed: service, support"),
        (("show", "whe_0000000000000000"), "service:loyalty", "no webhook endpoint"),
        (("resend", "whe_0000000000000000~1"), "support:sam", "no webhook delivery"),
    ],
)
def test_what_is_refused_says_why(expediter: Expediter, running: EngineProcess, arguments, role, problem) -> None:
    """With the code of a refusal."""
    result = expediter("webhooks", *arguments, "--data", running.data, "--as", role)
    assert result.code != 0
    assert problem in result.err
