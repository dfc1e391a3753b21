"""Every single AWS call of the command path, killed and repeated: no event, start or token is lost or doubled.

The story runs once without a fault, and every call that it makes is recorded. Then each call is struck with each fault,
in the state in which it was made; failed invocations are delivered again as AWS does; the state must equal the state
without the fault. A call site that is added to the code appears in the recording and is struck too.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from tests.aws.deployed import Deployed, Saved, chapter, deployed
from tests.aws.story import STORY, run
from tests.aws.striking import ROOT, Fault, Site, faults_of

CLIENT_CALL = re.compile(r"self\._(client|dynamodb|kms)\.[a-z_]+$")

ADAPTERS = ("event_log", "documents", "keyring", "step_functions")

NOT_IN_THE_STORY = {
    "event_log._stored_after": "reads the item after a failed append; tests/aws/test_dynamodb_faults.py strikes it",
    "event_log._point": "archives; tests/archive/test_archiving_contract.py kills a run before and after each call",
    "keyring._delete": "drops the unused key of two concurrent first uses; see tests/aws/test_kms_keyring.py",
}
"""Functions with a call that is made only after a fault, or that no order makes."""


@dataclass(frozen=True)
class Played:
    """An invocation without a fault: the state before and after it, its outcome and its calls."""

    before: Saved
    after: dict[str, Any]
    outcome: Any
    sites: tuple[Site, ...]


@pytest.fixture(scope="module")
def world(request: pytest.FixtureRequest) -> Iterator[Deployed]:
    """Open the functions on the official DynamoDB Local where it is installed, else on moto."""
    try:
        url = request.getfixturevalue("dynamodb_local")
    except pytest.skip.Exception:
        url = None
    with deployed(url) as world:
        yield world


@pytest.fixture(scope="module")
def played(world: Deployed) -> dict[str, Played]:
    """Play the story without a fault."""
    invocations: dict[str, Played] = {}
    for number, invocation in enumerate(STORY):
        world.clock.time = chapter(number)
        before = world.save()
        world.striker.watch()
        outcome = invocation.deliver(world)
        invocations[invocation.name] = Played(before, world.seen(), outcome, tuple(world.striker.sites))
    return invocations


@pytest.fixture(scope="module")
def faulted_calls(played: dict[str, Played]) -> dict[str, list[int]]:
    """Choose the calls of each invocation to strike: each site once, and once more if it is in a loop."""
    seen: set[tuple[Site, int]] = set()
    chosen: dict[str, list[int]] = {}
    for name, invocation in played.items():
        chosen[name] = []
        times: dict[Site, int] = {}
        for number, site in enumerate(invocation.sites):
            times[site] = min(times.get(site, 0) + 1, 2)
            if (site, times[site]) not in seen:
                seen.add((site, times[site]))
                chosen[name].append(number)
    return chosen


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("invocation", STORY, ids=lambda invocation: invocation.name)
def test_no_fault_of_a_single_call_loses_or_doubles_anything(invocation, fault, world, played, faulted_calls):
    """After any fault, repeated deliveries lead to the same state as without it."""
    without = played[invocation.name]
    for number in faulted_calls[invocation.name]:
        site = without.sites[number]
        if fault in faults_of(site.operation):
            world.put_back(without.before)
            world.striker.watch((number, fault))
            outcome = run(invocation, world)
            assert world.striker.struck == site, f"{fault}: {site}"
            assert world.seen() == without.after, f"{fault}: {site}"
            assert outcome == without.outcome, f"{fault}: {site}"


def test_the_story_covers_every_outcome(played):
    """A story without events would prove nothing."""
    end = played[STORY[-1].name].after
    assert len(end["starts"]) == 6  # five orders, one of them a second time
    assert len(end["settled"]) >= 9
    kinds = {text.split("(")[0] for events in end["events"].values() for _, _, text in events}
    assert kinds >= {"OrderCompleted", "OrderCancelled", "OrderParked", "RunStarted", "PreparationTimedOut"}
    assert end["customers with a key"] == []


def test_every_operation_is_struck_at_every_place_that_calls_it(played, faulted_calls):
    """Every recorded call is struck."""
    recorded = {site for invocation in played.values() for site in invocation.sites}
    struck = {played[name].sites[number] for name, numbers in faulted_calls.items() for number in numbers}
    assert struck == recorded
    assert {site.operation for site in struck} >= {
        *("Query", "GetItem", "PutItem", "DeleteItem", "GenerateDataKey", "Decrypt"),
        *("StartExecution", "SendTaskSuccess", "SendTaskFailure"),
    }


def test_every_call_site_of_the_adapters_is_in_the_story(played):
    """A call site that the story does not reach must be added to it, or listed with the reason."""
    made = {site.stack[0].split()[0] for invocation in played.values() for site in invocation.sites}
    reached = {(module, int(line)) for module, line in (place.split(":") for place in made)}
    missing = {
        f"{call.module}.{call.function}"
        for call in call_sites()
        if not any((f"workflows.aws.{call.module}", line) in reached for line in call.lines)
    }
    assert missing == set(NOT_IN_THE_STORY)


class CallSite(NamedTuple):
    module: str
    function: str
    lines: range


def call_sites() -> Iterator[CallSite]:
    """Yield every place in the adapters where a method of a client is called."""
    for module in ADAPTERS:
        tree = ast.parse((ROOT / "workflows" / "aws" / f"{module}.py").read_text())
        for function in (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)):
            for call in (node for node in ast.walk(function) if isinstance(node, ast.Call)):
                called = ast.unparse(call.func)
                if CLIENT_CALL.match(called):
                    yield CallSite(module, function.name, range(call.lineno, (call.end_lineno or 0) + 1))
