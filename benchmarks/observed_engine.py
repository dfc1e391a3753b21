"""An embedded engine that tells of the calls its functions make: to people who react to them, or to who counts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.embedded.engine import EmbeddedEngine
from workflows.engine import assemble


class Told:
    """A port that passes every call on, and tells of it once it returned."""

    def __init__(self, port: Any, tell: Callable[[str, tuple[Any, ...], dict[str, Any], Any], None]) -> None:
        self._port = port
        self._tell = tell

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            result = found(*arguments, **named)
            self._tell(name, arguments, named, result)
            return result

        return call


def observed_engine(wrapped: Callable[[str, Any], Any]) -> type[EmbeddedEngine]:
    """An engine whose functions get ``wrapped(name, port)`` in place of each port. Circuit breakers are outside it."""

    class ObservedEngine(EmbeddedEngine):
        def _begin(self) -> None:
            ports = {
                "log": self.ports.log,
                "documents": self.ports.documents,
                "executions": self.executions,
                "payments": self.gateways.payments,
                "kitchen": self.gateways.kitchen,
                "couriers": self.gateways.couriers,
            }
            self.ports = assemble(clock=self._clock, **{name: wrapped(name, port) for name, port in ports.items()})
            super()._begin()

    return ObservedEngine
