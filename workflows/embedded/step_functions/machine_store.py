"""The machines that clients created: durable in the table ``state_machines``, and by name for the driver.

An execution keeps the definition that it began with, so an update or a deletion changes no execution that runs.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import apsw

from workflows.asl.reading import definition
from workflows.asl.reading.integrations import CanCall
from workflows.clock import Clock
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.running import Definitions
from workflows.sqlite.database import Database

_TABLE: Final = """
CREATE TABLE IF NOT EXISTS state_machines (
    name TEXT NOT NULL PRIMARY KEY, express INTEGER NOT NULL, definition TEXT NOT NULL, role_arn TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, revision TEXT, tags TEXT NOT NULL, configuration TEXT NOT NULL
) STRICT, WITHOUT ROWID;
"""


class MachineExists(Exception):
    """A machine of this name exists, and differs in its definition, type or configuration."""


class MachineMissing(LookupError):
    """There is no machine of this name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMachine:
    """A machine as it was created or last updated.

    ``revision`` is None until the first update. ``configuration`` holds ``loggingConfiguration`` and
    ``tracingConfiguration`` as clients sent them; they have no effect.
    """

    machine: Machine
    created_at: datetime
    updated_at: datetime
    revision: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    configuration: Mapping[str, Any] = field(default_factory=dict)


class MachineStore(Mapping[str, Machine]):
    """Machines by name, for the driver; threads may share it. A change is durable before it can be seen."""

    def __init__(self, database: Database, definitions: Definitions, clock: Clock, can_call: CanCall) -> None:
        """Read the stored machines. Raises InvalidDefinition if one cannot be run any more."""
        self._database = database
        self._definitions = definitions
        self._clock = clock
        self._can_call = can_call
        self._gate = threading.Lock()
        database.write(_create_table)
        rows = database.read(lambda connection: connection.execute("SELECT * FROM state_machines").fetchall())
        self._stored = {stored.machine.name: stored for stored in map(self._of_row, rows)}

    def __getitem__(self, name: str) -> Machine:
        return self._stored[name].machine

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._stored))

    def __len__(self) -> int:
        return len(self._stored)

    def find(self, name: str) -> StoredMachine | None:
        """Return a machine with everything that is kept of it; None if there is none of this name."""
        return self._stored.get(name)

    def stored(self, name: str) -> StoredMachine:
        """Return a machine as ``find`` does. Raises MachineMissing."""
        found = self.find(name)
        if found is None:
            raise MachineMissing(name)
        return found

    def create(
        self,
        name: str,
        text: str,
        *,
        express: bool,
        role_arn: str,
        tags: Mapping[str, str],
        configuration: Mapping[str, Any],
    ) -> StoredMachine:
        """Create a machine, or return the equal one that exists, with its own role and tags as at AWS.

        Raises InvalidDefinition or MachineExists.
        """
        machine = self._machine(name, text, express, role_arn)
        with self._gate:
            other = self._stored.get(name)
            if other is not None:
                if (_identity(other.machine), other.configuration) != (_identity(machine), configuration):
                    raise MachineExists(name)
                return other
            now = self._clock.now()
            stored = StoredMachine(
                machine=machine, created_at=now, updated_at=now, tags=tags, configuration=configuration
            )
            self._keep(stored)
        return stored

    def update(
        self, name: str, *, text: str | None, role_arn: str | None, configuration: Mapping[str, Any]
    ) -> StoredMachine:
        """Change a machine for executions that begin from now on. Raises InvalidDefinition or MachineMissing."""
        with self._gate:
            old = self.stored(name)
            machine = self._machine(
                name,
                old.machine.definition.text if text is None else text,
                old.machine.express,
                old.machine.role_arn if role_arn is None else role_arn,
            )
            stored = replace(
                old,
                machine=machine,
                updated_at=self._clock.now(),
                revision=str(uuid4()),
                configuration={**old.configuration, **configuration},
            )
            self._keep(stored)
        return stored

    def tag(self, name: str, tags: Mapping[str, str], removed: Sequence[str] = ()) -> None:
        """Add tags, or remove some by key. Raises MachineMissing."""
        with self._gate:
            old = self.stored(name)
            kept = {key: value for key, value in {**old.tags, **tags}.items() if key not in removed}
            self._keep(replace(old, tags=kept))

    def delete(self, name: str) -> None:
        """Delete a machine. Its executions go on. Idempotent."""
        with self._gate:
            self._database.write(
                lambda connection: connection.execute("DELETE FROM state_machines WHERE name = ?", (name,)).close()
            )
            self._stored.pop(name, None)

    def _machine(self, name: str, text: str, express: bool, role_arn: str) -> Machine:
        parsed = definition.parse(text, name=name, express=express, can_call=self._can_call)
        return Machine(name, express, parsed, role_arn)

    def _keep(self, stored: StoredMachine) -> None:
        machine = stored.machine
        self._definitions.add(machine.definition)
        values = (
            machine.name,
            machine.express,
            machine.definition.text,
            machine.role_arn,
            stored.created_at.isoformat(),
            stored.updated_at.isoformat(),
            stored.revision,
            json.dumps(dict(stored.tags)),
            json.dumps(dict(stored.configuration)),
        )
        sql = f"INSERT OR REPLACE INTO state_machines VALUES ({', '.join('?' * len(values))})"
        self._database.write(lambda connection: connection.execute(sql, values).close())
        self._stored[machine.name] = stored

    def _of_row(self, row: Sequence[Any]) -> StoredMachine:
        name, express, text, role_arn, created_at, updated_at, revision, tags, configuration = row
        return StoredMachine(
            machine=self._machine(name, text, bool(express), role_arn),
            created_at=datetime.fromisoformat(created_at),
            updated_at=datetime.fromisoformat(updated_at),
            revision=revision,
            tags=json.loads(tags),
            configuration=json.loads(configuration),
        )


def _identity(machine: Machine) -> tuple[bool, str]:
    return machine.express, machine.definition.digest


def _create_table(connection: apsw.Connection) -> None:
    connection.execute(_TABLE).close()
