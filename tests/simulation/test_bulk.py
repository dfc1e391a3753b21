"""Worlds in which a person acts on several orders at once: the laws hold, and find planted faults."""

from __future__ import annotations

from pathlib import Path

import pytest

from workflows.incidents import bulk_jobs
from workflows.incidents.bulk_actions import BulkAction
from workflows.simulation import bulk_person
from workflows.simulation.releases import read_deployed
from workflows.simulation.simulate import quiet, simulate

TEMPLATE = read_deployed(Path(__file__).parents[2])
WITH_BULK = 14


def violations(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(bulk_person, "ACTIONS", [BulkAction.NOTE.value])
    with quiet():
        return " ".join(simulate(WITH_BULK, TEMPLATE).violations)


def test_a_job_that_was_stopped_and_resumed_ends_and_names_each_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among killed processes and lost calls; each order has one note."""
    changes: list[list[str]] = []
    read = bulk_jobs.read

    def noted(*arguments: object) -> bulk_jobs.Progress:
        progress = read(*arguments)  # type: ignore[arg-type]
        changes.append([change.state.value for change in progress.job.changes])
        return progress

    monkeypatch.setattr(bulk_person, "read", noted)
    assert violations(monkeypatch) == ""
    assert changes == [["stopped", "running"]]


def test_a_job_that_never_goes_on_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at a pace that was below one order in ten seconds, before it was mended."""
    monkeypatch.setattr(bulk_jobs, "_allowed", lambda *_: 0)
    assert "is running at the end" in violations(monkeypatch)
