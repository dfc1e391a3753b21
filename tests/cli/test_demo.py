"""The whole demo: its own engine, every story, and the verification."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx

from workflows.cli.demo.stories import STORIES


def test_the_demo_plays_every_story_to_its_end_and_its_books_balance(process: Any, tmp_path: Path) -> None:
    """The result is one JSON object on stdout, and the folder is kept for checking."""
    ended = process("demo", "--orders", len(STORIES), "--json", "--data", tmp_path / "kept")
    assert ended.returncode == 0, ended.stderr
    report = json.loads(ended.stdout)
    assert report["orders"] == len(STORIES)
    assert sum(report["outcomes"].values()) == len(STORIES)
    assert report["chains_verified"] is True
    assert report["books_balanced"] is True
    assert report["seconds"] < 60
    assert 0 < report["state_entries"]["standard"] < 20
    assert report["state_entries"]["express"] == 0
    every = {"delivered", "payment_declined", "preparation_rejected", "nothing_left", "cancelled_by_customer"}
    every |= {"cancelled_by_restaurant", "no_courier", "preparation_timed_out", "delivery_failed"}
    assert report["outcomes"].keys() == every
    assert "engine:" not in ended.stderr
    assert process("audit", "verify", "--data", tmp_path / "kept").returncode == 0


def test_one_order_is_shown_with_its_timeline(process: Any) -> None:
    """The text output has outcomes, timelines, chains and books, and no colour without a terminal."""
    ended = process("demo", "--orders", 1)
    assert ended.returncode == 0, ended.stderr
    for words in (
        "quote of ",
        "is sold out. Choose",
        "as quoted",
        "delivered",
        "Payment authorized",
        "chains verified: ",  # how many streams of reads there are depends on the report
        "books balanced: 1 order",
        "Paid",
        "sum of the period",
        "balanced; on hold 0.00 EUR",
    ):
        assert words in ended.stdout
    assert "\x1b[" not in ended.stdout + ended.stderr


def test_with_the_console_the_engine_stays_and_a_login_leads_to_the_first_order(tmp_path: Path) -> None:
    """The address that is printed logs in once, at a finished order; Ctrl-C stops the engine and ends with code 0."""
    command = [sys.executable, "-m", "workflows.cli", "demo", "--orders", "1", "--console"]
    environment = {**os.environ, "BROWSER": "true"}  # the program of this name, which opens nothing
    with (
        (tmp_path / "stderr").open("w") as errors,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment) as demo,
    ):
        assert demo.stdout is not None  # it is a pipe
        opened = next(line.strip() for line in demo.stdout if "#code=" in line)
        page, code = opened.split("#code=")
        engine, order = page.split("/console/orders/")
        token = httpx.post(f"{engine}/console/token", json={"code": code}).json()["token"]
        shown = httpx.get(f"{engine}/orders/{order}", headers={"Authorization": f"Bearer {token}"})
        assert shown.json()["status"] == "completed"
        demo.send_signal(signal.SIGINT)
        demo.communicate()
    assert demo.returncode == 0
    assert "Ctrl-C stops the engine and removes its folder" in (tmp_path / "stderr").read_text()
