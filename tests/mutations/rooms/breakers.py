"""Mutants of ``workflows/breakers/``."""

from __future__ import annotations

from tests.mutations.mutant import Mutant, tests

MUTANTS = (
    Mutant(
        name="probe without a lease",
        breaks="While a circuit is open, only the holder of the lease makes one call an interval.",
        file="workflows/breakers/circuit.py",
        old="            if self.lease.calling or self.lease.holder != holder:\n",
        new="            if False:\n",
        caught_by=tests("breakers/test_breaker_shared.py::test_of_twenty_processes_at_once_one_gets_the_probe"),
    ),
    Mutant(
        name="late copy of a request that opens a closed circuit",
        breaks="A person's request counts once, also if its copy arrives after the next one.",
        file="workflows/breakers/breaker.py",
        old="            if self._shared.is_recorded(current, request):\n                return current.circuit\n",
        new="",
        caught_by=tests("breakers/test_breaker_shared.py"),
    ),
)
