"""Entry points on AWS, one module a trigger; this file is their composition root.

Importing it installs the opener of AWS adapters, which opens nothing before the first call. Only inside a Lambda
function the engine is opened while the process starts, because the process has a whole CPU then and only its share
later. An error in the environment is raised by the first call.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TypeVar

from workflows import engine as _ports
from workflows.engine import Engine
from workflows.publishing.event_bus import EventBus
from workflows.settings import Group, Reader, read_event_bus

T = TypeVar("T")


class AwsPorts:
    """Opens the ports of a function from its environment, each once, on first use. Safe to use from several threads."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._opening = threading.RLock()
        self._engine: Engine | None = None
        self._event_bus: EventBus | None = None
        self._settings: dict[Group[Any], Any] = {}

    def engine(self, groups: tuple[Group[Any], ...]) -> Engine:
        """Raises SettingsRefused, naming all that is missing or wrong in the engine's settings and in the groups."""
        with self._opening:
            if self._engine is None:
                from workflows.aws.opening import open_engine, read_engine_settings

                reader = self._read(read_engine_settings, *groups)
                reader.check()
                self._engine = open_engine(self._settings[read_engine_settings])
            self._read(*groups).check()
            return self._engine

    def settings(self, group: Group[T]) -> T:
        """Raises SettingsRefused."""
        with self._opening:
            self._read(group).check()
            value: T = self._settings[group]
            return value

    def event_bus(self) -> EventBus:
        """Raises SettingsRefused."""
        with self._opening:
            if self._event_bus is None:
                from workflows.aws.opening import open_event_bus

                self._event_bus = open_event_bus(self.settings(read_event_bus))
            return self._event_bus

    def _read(self, *groups: Group[Any]) -> Reader:
        """Read the groups that were not read before, and keep them if all are right."""
        reader = Reader(self._environment)
        values = {group: group(reader) for group in groups if group not in self._settings}
        if not reader.has_problems:
            self._settings |= values
        return reader


_aws = AwsPorts(os.environ)
_ports.install(_aws)
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    with suppress(Exception):
        _aws.engine(())
