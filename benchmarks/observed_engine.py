"""An embedded engine whose calls of ports can be observed, to react to them or to count them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from workflows.embedded.engine import EmbeddedEngine
from workflows.engine import assemble


class ObservedPort:
    """A port that passes every call on, and reports it to ``observe`` after it returned."""

    def __init__(self, port: Any, observe: Callable[[str, tuple[Any, ...], dict[str, Any], Any], None]) -> None:
        self._port = port
        self._observe = observe

    def __getattr__(self, name: str) -> Any:
        member = getattr(self._port, name)
        if not callable(member):
            return member

        def call(*arguments: Any, **named: Any) -> Any:
            result = member(*arguments, **named)
            self._observe(name, arguments, named, result)
            return result

        return call


def observed_engine(wrapped: Callable[[str, Any], Any]) -> type[EmbeddedEngine]:
    """Make an engine class whose functions get ``wrapped(name, port)`` in place of each port."""

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
            self.ports = assemble(
                clock=self._clock,
                live_path=self.ports.live_path,
                courier_moved=self.ports.courier_moved,
                **{name: wrapped(name, port) for name, port in ports.items()},
            )
            super()._begin()

    return ObservedEngine
