"""Worlds that erase customers, archive orders and restore destroyed keys: their laws hold, and find planted faults."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audit.verifier import VERIFIER
from workflows.event_store.erasure import CustomerErased
from workflows.event_store.segments import Archived
from workflows.in_memory.event_log import InMemoryEventLog
from workflows.simulation.checkpoint_makers import CheckpointMakers
from workflows.simulation.faults import RATES, Faults
from workflows.simulation.invariants import violations
from workflows.simulation.people import SimulatedOrder
from workflows.simulation.releases import read_deployed
from workflows.simulation.retention import RestorableKeyRing
from workflows.simulation.simulate import RETENTION_WITHIN_S, quiet, run_to_rest
from workflows.simulation.world import World

TEMPLATE = read_deployed(Path(__file__).parents[2])


def ended(seed: int, orders: int) -> tuple[World, list[SimulatedOrder]]:
    """Return a world that came to rest, before its laws are checked."""
    world = World(seed, TEMPLATE, Faults(seed, RATES), retains=True)
    simulated = [SimulatedOrder(world, number, within_s=RETENTION_WITHIN_S) for number in range(orders)]
    with quiet():
        run_to_rest(world, simulated)
    return world, simulated


def broken(world: World, simulated: list[SimulatedOrder]) -> str:
    with quiet():
        return " ".join(violations(world, simulated))


def broken_retention(world: World) -> str:
    with quiet():
        return " ".join(world.observers[0].violations())


def test_worlds_erase_and_archive_while_orders_go_on_and_their_laws_hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them happens before the end of a world, and the proofs that were made meanwhile verify."""
    happened: set[str] = set()
    restore = RestorableKeyRing.restore

    def restored(keyring: RestorableKeyRing, *arguments: Any) -> None:
        happened.add("restored")
        restore(keyring, *arguments)

    monkeypatch.setattr(RestorableKeyRing, "restore", restored)
    for seed in (3, 7):
        world, simulated = ended(seed, 2)
        streams = {commit.pk for commit in world.log.stored() if commit.pk.startswith("customer#")}
        events: list[object] = [event for stream in streams for event in world.log.load(stream).events]
        happened |= {"erased" for event in events if isinstance(event, CustomerErased)}
        happened |= {"archived" for age in world.log.ages() if age.archived}
        proofs = next(maker.proofs.made for maker in world.observers if isinstance(maker, CheckpointMakers))
        assert broken(world, simulated) == "", seed
        for _, proof in proofs:  # made before most of it, and what an auditor holds
            VERIFIER.verify(json.dumps(proof.bundle, ensure_ascii=False, separators=(",", ":")).encode())
        happened |= {"proven" for _ in proofs}
    assert happened == {"restored", "erased", "archived", "proven"}


def test_a_key_that_is_not_destroyed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the audit, by what an order shows, and by the bytes of the stores. Not every world erases a customer."""
    monkeypatch.setattr(RestorableKeyRing, "destroy", lambda *_: True)
    assert any("records that the key" in broken(*ended(seed, 2)) for seed in range(3, 10))


def test_a_text_that_an_erasure_leaves_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """In any store: here in a document of the engine, and in one of the webhooks."""
    from workflows.event_store.documents import ANY, Document
    from workflows.simulation.retention import mark_of

    monkeypatch.setattr("workflows.simulation.retention.ERASED_AT_END", 1.0)
    world, simulated = ended(7, 2)
    note = Document("notes", "1", {"text": f"call {mark_of('cus_1')}"})
    for documents in (world.documents, world._deliveries()):
        documents.put(note, ANY)
    found = broken(world, simulated)
    assert "cus_1 was erased, and a document has a text" in found
    assert "cus_1 was erased, and a webhook delivery has a text" in found


def test_a_commit_that_the_archive_loses_or_doubles_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line that is named twice is missed by one commit."""
    monkeypatch.setattr("workflows.simulation.retention.ARCHIVED_EVERY_S", (1e9, 1e9))  # not before the end
    world, _ = ended(7, 2)
    point = InMemoryEventLog.point

    def point_wrong(log: InMemoryEventLog, archived: list[Archived]) -> None:
        point(log, [Archived(each.commit, archived[0].pointer) for each in archived])

    monkeypatch.setattr(InMemoryEventLog, "point", point_wrong)
    kept = next(observer for observer in world.observers if isinstance(observer, CheckpointMakers)).proofs
    assert list(kept.violations()) == []
    found = broken_retention(world)
    assert "the log has other commits than were recorded" in found
    assert "two commits are archived in one line" in found
