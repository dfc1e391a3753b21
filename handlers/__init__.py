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

from workflows import engine as _ports
from workflows.engine import Engine, EnvironmentIncomplete
from workflows.publishing.event_bus import EventBus


class AwsPorts:
    """Opens the ports of a function from its environment, each once, on first use. Safe to use from several threads."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment
        self._opening = threading.Lock()
        self._engine: Engine | None = None
        self._event_bus: EventBus | None = None

    def engine(self, needs: tuple[str, ...]) -> Engine:
        """Raises EnvironmentIncomplete, naming what is missing of ``needs`` and of the engine's own variables."""
        with self._opening:
            if self._engine is None:
                from workflows.aws.opening import open_engine

                self._engine = open_engine(self.environment, needs)
            missing = [name for name in needs if not self.environment.get(name)]
            if missing:
                raise EnvironmentIncomplete(missing)
            return self._engine

    def event_bus(self) -> EventBus:
        """Raises EnvironmentIncomplete."""
        with self._opening:
            if self._event_bus is None:
                from workflows.aws.opening import open_event_bus

                self._event_bus = open_event_bus(self.environment)
            return self._event_bus


_aws = AwsPorts(os.environ)
_ports.install(_aws)
if "AWS_LAMBDA_FUNCTION_NAME" in os.environ:
    with suppress(Exception):
        _aws.engine(())
