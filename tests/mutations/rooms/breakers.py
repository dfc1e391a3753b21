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
)
