"""Mutants of ``workflows/hub/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="arrival that does not wake the hub",
        breaks="A call from another thread wakes the hub when it is idle.",
        file="workflows/hub/hub.py",
        old="        else:\n            self._inbox.put(call)\n",
        new="        else:\n            self._ready.append(call)\n",
        caught_by=tests("hub/test_hub.py::test_a_task_that_waits_for_a_thread_is_woken_by_it"),
    ),
)
