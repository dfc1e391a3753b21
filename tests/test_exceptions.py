"""Every exception of the project survives pickling, so that a worker process can raise it in its parent."""

from __future__ import annotations

import importlib
import inspect
import json
import pickle
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

import domain
import handlers
import workflows
from domain.identifiers import SYSTEM, Role
from domain.money import Money
from domain.order.order import initial
from handlers.http.refusals import RequestRefused
from tests.domain.order.stories import ORDER_ID
from workflows.asl.interpreter.frames import ErrorOutput
from workflows.asl.reading.definition import InvalidDefinition, parse
from workflows.breakers.circuit import EventPosition
from workflows.breakers.dependencies import Dependency
from workflows.event_store.commits import Commit, History, Opaque
from workflows.live.topics import order_topic
from workflows.orders.permissions import Action

PACKAGES = {"domain", "workflows", "handlers"}
COMMIT = Commit("order#1", 1, "key", "2026-05-04T12:00:00.000000Z", b"", "{}")
SAMPLES: dict[str, Any] = {
    "str": "text",
    "int": 3,
    "int | None": 3,
    "Money": Money(1250, "EUR"),
    "OrderId": ORDER_ID,
    "RestaurantId": "rosa",
    "Role": Role.CUSTOMER,
    "Actor": SYSTEM,
    "Action": Action.READ,
    "Order": initial(ORDER_ID),
    "datetime": datetime(2026, 5, 4, 12, 0, tzinfo=UTC),
    "datetime | None": None,
    "Path": Path("state.db"),
    "BaseException": OSError("disk full"),
    "Dependency": Dependency.PAYMENTS,
    "EventPosition": EventPosition("breaker#payments", 1),
    "Commit": COMMIT,
    "History": History(stream="order#1"),
    "Opaque": Opaque("OrderTeleported", 1, {}),
    "ErrorOutput": ErrorOutput("States.Timeout", "too late"),
    "HTTPStatus": HTTPStatus.CONFLICT,
    "list[str]": ["one", "two"],
    "list[int]": [12, 18],
    "list[DefinitionProblem]": [],
    "tuple[str, ...]": ("one", "two"),
    "Mapping[str, str]": {"one": "two"},
    "Sequence[int]": (1, 2),
    "Sequence[tuple[OrderId, str]]": ((ORDER_ID, "the restaurant"),),
    "tuple[tuple[str, str], ...]": (("field", "is wrong"),),
    "Topic": order_topic(ORDER_ID),
}
"""A value for each annotation that a constructor has. Parameters with a default are left out."""


ABSTRACT = {RequestRefused}
"""Only subclasses are raised."""


def exceptions() -> Iterator[type[BaseException]]:
    for package in (domain, workflows, handlers):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith("__main__"):
                continue
            members = vars(importlib.import_module(module.name)).values()
            yield from (
                member
                for member in members
                if isinstance(member, type) and issubclass(member, BaseException) and member.__module__ == module.name
                if member not in ABSTRACT
            )


@pytest.mark.parametrize("cls", sorted(exceptions(), key=lambda cls: (cls.__module__, cls.__name__)))
def test_an_exception_is_the_same_after_pickling(cls: type[BaseException]) -> None:
    """Its message and its attributes. Python alone would pass the message to a constructor that takes facts."""
    raised = cls(*(_sample(parameter) for parameter in _facts(cls)))
    again = pickle.loads(pickle.dumps(raised))
    assert (type(again), str(again), again.args) == (cls, str(raised), raised.args)
    assert _shown(again) == _shown(raised)


def _shown(raised: BaseException) -> str:
    """Return the attributes as text, without the addresses of objects that have no text of their own."""
    return re.sub(r" at 0x\w+", "", repr(vars(raised)))


def _facts(cls: type[BaseException]) -> list[inspect.Parameter]:
    """Return the required parameters of the constructor, or one message if Python's own takes whatever it gets."""
    if not any("__init__" in vars(base) for base in cls.__mro__ if base.__module__.partition(".")[0] in PACKAGES):
        return [inspect.Parameter("message", inspect.Parameter.POSITIONAL_ONLY, annotation="str")]
    required = [each for each in inspect.signature(cls).parameters.values() if each.default is each.empty]
    return [each for each in required if each.kind is not inspect.Parameter.VAR_KEYWORD]


def _sample(parameter: inspect.Parameter) -> Any:
    assert parameter.annotation in SAMPLES, f"add a value for {parameter.annotation} to SAMPLES"
    return SAMPLES[parameter.annotation]


def test_the_problems_of_a_definition_read_alike_in_the_parent_of_a_worker() -> None:
    """One problem a line."""
    with pytest.raises(InvalidDefinition) as refused:
        parse(
            json.dumps({"QueryLanguage": "JSONata", "StartAt": "Nowhere", "States": {"A": {"Type": "Wish"}}}), name="M"
        )
    again = pickle.loads(pickle.dumps(refused.value))
    assert len(refused.value.problems) > 1
    assert (str(again), again.problems) == (str(refused.value), refused.value.problems)
