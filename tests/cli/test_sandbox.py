"""The sandbox as a separate service: start, authentication, and durability after kill -9."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.identifiers import order_id_for
from domain.money import Money
from workflows.gateways.errors import CredentialRefused
from workflows.gateways.http.payment import HttpPayments
from workflows.gateways.payment import Authorized, Declined
from workflows.sandbox.settings import TOKEN, SandboxSettings, read_sandbox
from workflows.settings import read

ORDER = order_id_for("sandbox command", "1")
Started = tuple[subprocess.Popen[str], str]


@pytest.fixture
def started(tmp_path: Path) -> Iterator[Callable[..., Started]]:
    """Start ``expediter sandbox`` on one folder and a free port; its processes are killed after the test."""
    processes: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> Started:
        command = [sys.executable, "-m", "workflows.cli", "sandbox", "--data", str(tmp_path / "outside"), "--port", "0"]
        surroundings = {name: value for name, value in os.environ.items() if name != TOKEN} | environment
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=surroundings)
        processes.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def _authorize(url: str, token: str) -> Authorized | Declined:
    payments = HttpPayments(f"{url}/payments", lambda: token)
    amount = Money(2740, "EUR")
    return payments.authorize(reference=ORDER, payment_method="pm_ok", amount=amount, key=f"{ORDER}/2", timeout_s=10)


def test_after_kill_9_a_repeated_call_gets_the_same_receipt(started: Callable[..., Started], tmp_path: Path) -> None:
    """An answered call is in the ledger. The generated token is in the folder, readable by its owner only."""
    process, url = started()
    file = tmp_path / "outside" / "sandbox.token"
    token = file.read_text(encoding="ascii")
    assert file.stat().st_mode & 0o777 == 0o600
    first = _authorize(url, token)
    process.kill()
    process.communicate()
    _, again = started()
    assert _authorize(again, token) == first


def test_a_token_from_the_environment_is_the_only_accepted_one(started: Callable[..., Started], tmp_path: Path) -> None:
    """It is not stored."""
    _, url = started(**{TOKEN: "from-a-secret-store"})
    assert isinstance(_authorize(url, "from-a-secret-store"), Authorized)
    with pytest.raises(CredentialRefused):
        _authorize(url, "another")
    assert not (tmp_path / "outside" / "sandbox.token").exists()


@pytest.mark.parametrize("content", [b"", b" \n", b"gr\xc3\xbcn", b"\xff\xfe", b"two words", None])
def test_a_file_without_a_valid_token_is_named(expediter: Any, tmp_path: Path, content: bytes | None) -> None:
    """An empty token would let every caller in, and others cannot be sent. ``None``: the path is a folder."""
    file = tmp_path / "outside" / "sandbox.token"
    file.parent.mkdir()
    if content is None:
        file.mkdir()
    else:
        file.write_bytes(content)
    result = expediter("sandbox", "--data", file.parent, "--port", "0")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert f"{file} " in result.err


@pytest.mark.parametrize("token", ["gr\u00fcn-s3cret", "two s3cret-words"])
def test_an_invalid_token_from_the_environment_is_not_printed(
    expediter: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setenv(TOKEN, token)
    result = expediter("sandbox", "--data", tmp_path / "outside", "--port", "0")
    assert (result.code, result.out, result.err.count("\n")) == (2, "", 1), result
    assert TOKEN in result.err
    assert "s3cret" not in result.err


def test_a_signal_ends_the_sandbox_cleanly_after_it_printed_the_parameters_for_a_deployment(
    started: Callable[..., Started],
) -> None:
    """The template's parameters can be copied."""
    process, url = started()
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (0, "")
    assert f"PaymentsUrl={url}/payments KitchenUrl={url}/kitchen CouriersUrl={url}/couriers" in err
    assert "Traceback" not in err


def test_the_sandbox_token_is_not_read_as_a_sandbox_setting() -> None:
    """A token exported for the service does not stop an embedded engine from starting."""
    assert read({TOKEN: "x"}, read_sandbox) == SandboxSettings()


def test_a_sandbox_that_cannot_start_prints_one_line(
    expediter: Any, started: Callable[..., Started], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The port or the folder is in use, the folder is a file, a setting is wrong, or the ledger is damaged."""
    _, url = started()
    (tmp_path / "file").write_text("x", encoding="ascii")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "sandbox.sqlite").write_text("no database " * 100, encoding="ascii")
    port = url.rpartition(":")[2]
    for folder, code, words in (
        ("other", 2, "--port 0"),
        ("outside", 2, "is in use by process"),
        ("file", 2, "cannot hold"),
        ("broken", 1, "is damaged"),
    ):
        result = expediter("sandbox", "--data", tmp_path / folder, "--port", port)
        assert (result.code, result.out, result.err.count("\n")) == (code, "", 1), result
        assert words in result.err
    monkeypatch.setenv("EXPEDITER_SANDBOX_PAYMENT_LOST_AFTER_RATE", "2")
    assert "from 0 to 1" in expediter("sandbox", "--data", tmp_path / "more").err
