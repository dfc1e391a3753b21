"""The versions of machines that clients published, and the aliases that lead to them: durable, and by name.

A version never changes; its number is used once. A machine that is deleted takes its versions and aliases along.
"""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

import apsw

from workflows.asl.reading import definition
from workflows.asl.reading.integrations import CanCall
from workflows.clock import Clock
from workflows.embedded.step_functions.machine_store import MachineStore, StoredMachine
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.running import Definitions
from workflows.sqlite.database import Database

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS machine_versions (
    machine TEXT NOT NULL, number INTEGER NOT NULL, express INTEGER NOT NULL, definition TEXT, role_arn TEXT NOT NULL,
    description TEXT NOT NULL, revision TEXT, created_at TEXT NOT NULL, PRIMARY KEY (machine, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS machine_aliases (
    machine TEXT NOT NULL, name TEXT NOT NULL, description TEXT NOT NULL, routes TEXT NOT NULL,
    created_at TEXT NOT NULL, updated_at TEXT NOT NULL, PRIMARY KEY (machine, name)
) STRICT, WITHOUT ROWID;
"""


class VersionMissing(LookupError):
    """The machine has no version of this number, or no alias of this name."""


class VersionInUse(Exception):
    """An alias leads to the version."""


class AliasExists(Exception):
    """The machine has an alias of this name that differs in its description or routes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineVersion:
    """A version of a machine. ``revision`` is that of the machine when it was published."""

    machine: Machine
    number: int
    description: str
    revision: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineAlias:
    """A name for one version or two. ``routes`` has the percentage of starts by version number."""

    machine: str
    name: str
    description: str
    routes: Mapping[int, int]
    created_at: datetime
    updated_at: datetime


class VersionStore(Mapping[str, Machine]):
    """Machines by name, ``NAME``, ``NAME:VERSION`` or ``NAME:ALIAS``, for the driver; threads may share it.

    Deleted versions keep a row without a definition, so that their numbers are not used again.
    """

    def __init__(
        self, database: Database, definitions: Definitions, machines: MachineStore, clock: Clock, can_call: CanCall
    ) -> None:
        """Read the stored versions. Raises InvalidDefinition if one cannot be run any more."""
        self._database = database
        self._definitions = definitions
        self._machines = machines
        self._clock = clock
        self._can_call = can_call
        self._gate = threading.Lock()
        database.write(lambda connection: connection.execute(_TABLES).close())
        self._versions: dict[str, dict[int, MachineVersion | None]] = {}
        for row in self._rows("SELECT * FROM machine_versions ORDER BY machine, number"):
            self._versions.setdefault(row[0], {})[row[1]] = self._version_of_row(row)
        self._aliases = {(row[0], row[1]): _alias_of_row(row) for row in self._rows("SELECT * FROM machine_aliases")}

    def __getitem__(self, name: str) -> Machine:
        machine, _, qualifier = name.partition(":")
        if not qualifier:
            return self._machines[machine]
        try:
            if qualifier.isascii() and qualifier.isdecimal():
                return self.version(machine, int(qualifier)).machine
            alias = self.alias(machine, qualifier)
            (number,) = random.choices(list(alias.routes), weights=list(alias.routes.values()))
            return replace(self.version(machine, number).machine, alias=qualifier)
        except VersionMissing as error:
            raise KeyError(name) from error

    def __iter__(self) -> Iterator[str]:
        return iter(self._machines)

    def __len__(self) -> int:
        return len(self._machines)

    def publish(self, stored: StoredMachine, description: str) -> MachineVersion:
        """Publish the current revision of a machine, or return the version that has been published of it."""
        name = stored.machine.name
        with self._gate:
            known = self._versions.setdefault(name, {})
            for version in known.values():
                if version is not None and version.revision == stored.revision:
                    return version
            number = max(known, default=0) + 1
            version = MachineVersion(
                machine=replace(stored.machine, version=number),
                number=number,
                description=description,
                revision=stored.revision,
                created_at=self._clock.now(),
            )
            self._keep_version(version)
            known[number] = version
        return version

    def version(self, machine: str, number: int) -> MachineVersion:
        """Return a version. Raises VersionMissing."""
        found = self._versions.get(machine, {}).get(number)
        if found is None:
            raise VersionMissing(f"{machine}:{number}")
        return found

    def versions(self, machine: str) -> list[MachineVersion]:
        """List the versions of a machine, the newest first."""
        return [version for version in reversed(self._versions.get(machine, {}).values()) if version is not None]

    def delete_version(self, machine: str, number: int) -> None:
        """Delete a version. Its executions go on. Idempotent. Raises VersionInUse."""
        with self._gate:
            if any(number in alias.routes for alias in self.aliases(machine)):
                raise VersionInUse(f"{machine}:{number}")
            if self._versions.get(machine, {}).get(number) is not None:
                sql = "UPDATE machine_versions SET definition = NULL WHERE machine = ? AND number = ?"
                self._write(sql, machine, number)
                self._versions[machine][number] = None

    def create_alias(self, machine: str, name: str, description: str, routes: Mapping[int, int]) -> MachineAlias:
        """Create an alias, or return the equal one that exists. Raises AliasExists."""
        with self._gate:
            other = self._aliases.get((machine, name))
            if other is not None:
                if (other.description, other.routes) != (description, routes):
                    raise AliasExists(name)
                return other
            now = self._clock.now()
            return self._keep_alias(
                MachineAlias(
                    machine=machine, name=name, description=description, routes=routes, created_at=now, updated_at=now
                )
            )

    def update_alias(
        self, machine: str, name: str, description: str | None, routes: Mapping[int, int] | None
    ) -> MachineAlias:
        """Change an alias for executions that begin from now on. Raises VersionMissing."""
        with self._gate:
            old = self.alias(machine, name)
            return self._keep_alias(
                replace(
                    old,
                    description=old.description if description is None else description,
                    routes=old.routes if routes is None else routes,
                    updated_at=self._clock.now(),
                )
            )

    def alias(self, machine: str, name: str) -> MachineAlias:
        """Return an alias. Raises VersionMissing."""
        found = self._aliases.get((machine, name))
        if found is None:
            raise VersionMissing(f"{machine}:{name}")
        return found

    def aliases(self, machine: str) -> list[MachineAlias]:
        """List the aliases of a machine, the newest first."""
        found = [alias for (of, _), alias in list(self._aliases.items()) if of == machine]
        return sorted(found, key=lambda alias: (alias.created_at.isoformat(), alias.name), reverse=True)

    def delete_alias(self, machine: str, name: str) -> None:
        """Delete an alias. Raises VersionMissing."""
        with self._gate:
            self.alias(machine, name)
            self._write("DELETE FROM machine_aliases WHERE machine = ? AND name = ?", machine, name)
            del self._aliases[machine, name]

    def delete_all(self, machine: str) -> None:
        """Delete the versions and aliases of a machine that is deleted. Idempotent."""
        with self._gate:
            self._write("DELETE FROM machine_versions WHERE machine = ?", machine)
            self._write("DELETE FROM machine_aliases WHERE machine = ?", machine)
            self._versions.pop(machine, None)
            self._aliases = {key: alias for key, alias in self._aliases.items() if key[0] != machine}

    def _keep_version(self, version: MachineVersion) -> None:
        machine = version.machine
        self._definitions.add(machine.definition)
        values = (machine.name, version.number, machine.express, machine.definition.text, machine.role_arn)
        values_more = (version.description, version.revision, version.created_at.isoformat())
        self._write("INSERT INTO machine_versions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", *values, *values_more)

    def _keep_alias(self, alias: MachineAlias) -> MachineAlias:
        times = (alias.created_at.isoformat(), alias.updated_at.isoformat())
        values = (alias.machine, alias.name, alias.description, json.dumps(list(alias.routes.items())), *times)
        self._write("INSERT OR REPLACE INTO machine_aliases VALUES (?, ?, ?, ?, ?, ?)", *values)
        self._aliases[alias.machine, alias.name] = alias
        return alias

    def _version_of_row(self, row: Sequence[Any]) -> MachineVersion | None:
        name, number, express, text, role_arn, description, revision, created_at = row
        if text is None:
            return None
        parsed = definition.parse(text, name=name, express=bool(express), can_call=self._can_call)
        self._definitions.add(parsed)
        return MachineVersion(
            machine=Machine(name, bool(express), parsed, role_arn, version=number),
            number=number,
            description=description,
            revision=revision,
            created_at=datetime.fromisoformat(created_at),
        )

    def _rows(self, sql: str) -> list[Any]:
        return self._database.read(lambda connection: connection.execute(sql).fetchall())

    def _write(self, sql: str, *values: Any) -> None:
        def work(connection: apsw.Connection) -> None:
            connection.execute(sql, values).close()

        self._database.write(work)


def _alias_of_row(row: Sequence[Any]) -> MachineAlias:
    machine, name, description, routes, created_at, updated_at = row
    return MachineAlias(
        machine=machine,
        name=name,
        description=description,
        routes=dict(json.loads(routes)),
        created_at=datetime.fromisoformat(created_at),
        updated_at=datetime.fromisoformat(updated_at),
    )
