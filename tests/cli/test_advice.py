"""A command that a page prints as advice can be run once the words in capitals are filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.cli.advice import bare_commands_in, commands_in, filled_in, lacks, parse, sentences
from tests.cli.conftest import Expediter
from tests.incidents import test_situations
from tests.incidents.test_refusals_help import HELPS
from tests.incidents.test_situations import SITUATIONS, Desk
from tests.simulated_engine import SimulatedEngine
from workflows.cli import connection, repair_commands
from workflows.cli.plan_wording import FACTS, command_for, pass_on_command
from workflows.client import ExpediterClient

CLI = Path(connection.__file__).parent
USAGE, BUG = 2, 70


@pytest.mark.parametrize("situation", SITUATIONS)
def test_every_command_that_helps_in_a_situation_can_be_run(
    situation: str, expediter: Expediter, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each action of support, the pages of the order are read, and each command on them is tried."""
    tried: set[str] = set()
    engines: list[SimulatedEngine] = []

    @contextmanager
    def connected(url: str | None, data: Path | None, as_: str | None) -> Iterator[ExpediterClient]:
        with connection.explained():
            yield engines[-1].client(*(as_ or "support:sue").split(":"))

    def try_all_on(text: str) -> None:
        assert list(bare_commands_in(text)) == []
        for command in commands_in(text):
            parsed = parse(command)
            if command in tried:
                continue
            tried.add(command)
            changes = "dry_run" in [parameter.name for parameter in parsed.params]
            done = expediter(*filled_in(command), *(["--dry-run"] if changes else []))
            assert done.code not in {USAGE, BUG}, f"{command}: {done.err}"
            try_all_on(done.out + done.err)
            if done.code:
                refused = expediter(*filled_in(command), *(["--dry-run"] if changes else []), "--json")
                assert json.loads(refused.err.splitlines()[-1])["status"] in {403, 404, 409}, f"{command}: {done.err}"

    class Advised(Desk):
        def act(self, *arguments: Any, **more: Any) -> Any:
            engines.append(self.engine)
            version = self.engine.order(self.order_id).version
            for page in ("order why", "order show", "incidents show"):
                read = expediter(*page.split(), self.order_id)
                try_all_on(read.out + read.err)
            assert self.engine.order(self.order_id).version == version
            return super().act(*arguments, **more)

    class Now(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Now:
            return cls.fromtimestamp(engines[-1].world.scheduler.now().timestamp(), tz)

    monkeypatch.setattr(repair_commands, "datetime", Now)
    monkeypatch.setattr(connection, "connected", connected)
    monkeypatch.setattr(test_situations, "Desk", Advised)
    engine = SimulatedEngine(SecondPersonAbove="20.00 EUR")
    SITUATIONS[situation](engine)
    assert tried or situation in {"a circuit is held open and orders wait"}


@pytest.mark.parametrize("name", [*FACTS, "retry", "cancel", "abandon", "write_off 7", "confirm_report 7", "approve 7"])
def test_the_command_for_each_name_in_instead_is_complete(name: str) -> None:
    parse(f"expediter {command_for(name, 'ord_1')}")


def test_a_name_of_a_newer_release_leads_to_the_incident() -> None:
    """A command line that is older than its engine does not fail by what the engine offers."""
    assert command_for("teleport 7", "ord_1") == "incidents show ord_1"


@pytest.mark.parametrize("fact", ["item-unavailable", "declined", "failed", "rejected"])
def test_the_command_that_passes_a_fact_on_is_complete(fact: str) -> None:
    parse(f"expediter {pass_on_command('ord_1', fact)}")


@pytest.mark.parametrize("refusal", [refusal for refusal, _ in HELPS], ids=lambda refusal: type(refusal).__name__)
def test_the_commands_that_a_refusal_names_are_complete(refusal: Exception) -> None:
    assert list(bare_commands_in(str(refusal))) == []
    for command in commands_in(str(refusal)):
        parse(command)


PARTS = {"expediter backup DIR": "the folder follows"}
"""Texts that are a part of what is printed."""


@pytest.mark.parametrize("file", sorted(CLI.rglob("*.py")), ids=lambda file: str(file.relative_to(CLI)))
def test_no_text_of_the_command_line_names_a_command_without_what_it_requires(file: Path) -> None:
    """Also errors and hints that no situation prints."""
    for sentence in sentences(file):
        assert sentence in PARTS or list(lacks(sentence)) == [], sentence


def test_a_command_that_lacks_an_option_is_found() -> None:
    """This module would be worth nothing otherwise."""
    with pytest.raises(AssertionError, match="--reason"):
        parse("expediter order pass-on ord_1 failed --said-by WHO")
    with pytest.raises(AssertionError, match="--because"):
        parse("expediter incidents retry ord_1 --because WHY")
    assert list(lacks("expediter token prints one")) == ["expediter token: --role", "expediter token: --id"]
    assert list(bare_commands_in("Instead: order credit, incidents retry.")) == ["incidents retry", "order credit"]
