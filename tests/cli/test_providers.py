"""``expediter up`` with real providers: required settings, refused settings, and calls that reach the providers."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from workflows.cli.folder import open_ledgers

URLS = {"PaymentsUrl": "/payments", "KitchenUrl": "/kitchen", "CouriersUrl": "/couriers"}
TOKENS = dict.fromkeys(("payments", "kitchen", "couriers"), "TOKEN")


@pytest.fixture
def start() -> Iterator[Callable[..., str]]:
    """Start a serving command in its own process and return the URL it prints; it is killed after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start_(command: str, *arguments: object) -> str:
        line = [sys.executable, "-m", "workflows.cli", command, *map(str, arguments), "--port", "0"]
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        return process.stdout.readline().strip()

    yield start_
    for process in processes:
        process.kill()
        process.communicate()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder for an engine, with credentials for real providers."""
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "providers.json").write_text(json.dumps(TOKENS), encoding="utf-8")
    return folder


def parameters(urls: dict[str, str]) -> list[str]:
    return [f"--parameter={name}={url}" for name, url in urls.items()]


def test_an_engine_calls_its_providers_in_another_process(
    start: Callable[..., str], expediter: Any, ends_as: Any, data: Path, tmp_path: Path
) -> None:
    """Authorization and release are in the providers' ledger, and the engine's folder has no sandbox."""
    outside = tmp_path / "outside"
    base = start("sandbox", "--data", outside)
    token = (outside / "sandbox.token").read_text(encoding="ascii")
    (data / "providers.json").write_text(json.dumps(dict.fromkeys(TOKENS, token)), encoding="utf-8")
    start("up", "--demo-data", "--data", data, *parameters({name: base + path for name, path in URLS.items()}))
    order_id = expediter("order", "place", "--example", "--data", data).out.strip()

    def shown() -> Any:
        return expediter("order", "show", order_id, "--data", data, "--json").json

    ends_as(shown, "authorized")
    expediter("order", "cancel", order_id, "--reason", "enough", "--data", data)
    ends_as(shown, "cancelled")
    with open_ledgers(outside) as ledgers:
        assert [line.kind for line in ledgers.payments.entries(order_id)] == ["authorized", "voided"]
        assert [line.kind for line in ledgers.kitchen.entries(order_id)] != []
    assert not (data / "sandbox.sqlite").exists()


ALL = {name: f"https://example.com{path}" for name, path in URLS.items()}


@pytest.mark.parametrize(
    ("urls", "words"),
    [
        (
            {"PaymentsUrl": ALL["PaymentsUrl"]},
            "PaymentsUrl without KitchenUrl, CouriersUrl: give the URLs of all three",
        ),
        ({**ALL, "KitchenUrl": "not a url"}, "KitchenUrl is 'not a url'"),
        ({**ALL, "KitchenUrl": "http://example.com"}, "KitchenUrl is 'http://example.com'"),
        (
            {**ALL, "CouriersUrl": "https://user:secret@example.com"},
            "CouriersUrl is 'https://example.com', which holds more",
        ),
        ({}, "providers.json is for real providers"),
    ],
)
def test_urls_that_cannot_be_used_are_refused_in_one_line(
    expediter: Any, data: Path, urls: dict[str, str], words: str
) -> None:
    """A mix of real and simulated providers is refused: customers would pay for meals that are never cooked."""
    result = expediter("up", "--data", data, "--port", "0", *parameters(urls))
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert words in result.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "providers.json is missing"),
        ("{", "cannot be read as JSON"),
        ("[]", "has no token for payments"),
        (json.dumps({**TOKENS, "kitchen": ""}), "has no token for kitchen"),
    ],
)
def test_missing_credentials_are_refused_in_one_line(
    expediter: Any, data: Path, content: str | None, words: str
) -> None:
    """The line shows the expected content and does not print the file's own."""
    file = data / "providers.json"
    file.unlink()
    if content is not None:
        file.write_text(content, encoding="utf-8")
    result = expediter("up", "--data", data, "--port", "0", *parameters(ALL))
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert words in result.err
    assert '"couriers": "TOKEN"' in result.err


def test_a_folder_stays_with_one_kind_of_providers(expediter: Any, data: Path) -> None:
    """Its orders have receipts that the other providers did not issue."""
    (data / "sandbox.sqlite").touch()
    result = expediter("up", "--data", data, "--port", "0", *parameters(ALL))
    assert (result.code, result.err.count("\n")) == (2, 1), result
    assert "holds orders of the sandbox" in result.err


def test_help_says_how_to_use_real_providers(expediter: Any) -> None:
    words = expediter("up", "--help").out
    for name in ("PaymentsUrl", "KitchenUrl", "CouriersUrl", "providers.json"):
        assert name in words
