"""How long an order may wait for what: one table. Past its budget the watchdog looks after it.

Each is the longest that the state machines themselves take, by their own timeouts and retries, and a margin. So the
watchdog never hurries a run that is alive; it finds those whose execution, wait or message is gone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum


class Awaiting(StrEnum):
    """What an order waits for."""

    AUTHORIZATION = "authorization"
    ACCEPTANCE = "acceptance"
    READINESS = "readiness"
    ASSIGNMENT = "assignment"
    PICKUP = "pickup"
    DELIVERY = "delivery"
    SETTLEMENT = "settlement"
    COMPENSATION = "compensation"
    RUN = "run"


Budgets = Mapping[Awaiting, timedelta]

MARGIN = timedelta(minutes=10)
"""Starting, queueing, and the retries of a step that registers a wait, which take up to two minutes."""

CIRCUIT_WAIT = timedelta(hours=6) + MARGIN
"""How long a run may stand at an open circuit: the timeout of the machines' waits for one."""

SECONDS_MAX = 99_999_999
"""The longest timeout that Step Functions gives a state."""

_OF_PEOPLE = {
    Awaiting.ACCEPTANCE: ("KITCHEN_ANSWER_SECONDS", 600),
    Awaiting.READINESS: ("KITCHEN_READY_SECONDS", 7200),
    Awaiting.ASSIGNMENT: ("COURIER_ANSWER_SECONDS", 180),
    Awaiting.PICKUP: ("COURIER_PICKUP_SECONDS", 5400),
    Awaiting.DELIVERY: ("COURIER_DELIVERY_SECONDS", 7200),
}
"""The variable with the timeout of the wait, in seconds, and the template's default of it."""

_OF_MACHINES: Budgets = {
    Awaiting.AUTHORIZATION: timedelta(minutes=20),  # five attempts of 90 s in order.asl.yaml, and their waits: 8 min
    Awaiting.SETTLEMENT: timedelta(minutes=20),  # eight attempts of 25 s, and their waits of 2 min at most: 10 min
    Awaiting.COMPENSATION: timedelta(minutes=30),  # eight attempts of 60 s, and their waits of 2 min at most: 20 min
    Awaiting.RUN: timedelta(minutes=30),  # find the reason and park: eleven attempts, their waits 20 min at most
}


class TimeoutsRefused(ValueError):
    """Variables say what is no timeout. The message names each of them."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        said = ", ".join(f"{name} is {text!r}" for name, text in wrong.items())
        super().__init__(f"{said}: give a whole number of seconds, from 1 to {SECONDS_MAX}")


def budgets(environment: Mapping[str, str]) -> dict[Awaiting, timedelta]:
    """The table, with the timeouts of the deployed machines as the environment has them.

    A variable that is missing has the template's default, on purpose: the machines of a template that does not set it
    have that one, too. Raises TimeoutsRefused.
    """
    found = {name: environment.get(name, str(default)) for name, default in _OF_PEOPLE.values()}
    wrong = {name: text for name, text in found.items() if not _is_timeout(text)}
    if wrong:
        raise TimeoutsRefused(wrong)
    people = {awaiting: timedelta(seconds=int(found[name])) + MARGIN for awaiting, (name, _) in _OF_PEOPLE.items()}
    return {**people, **_OF_MACHINES}


def _is_timeout(text: str) -> bool:
    return re.fullmatch("[0-9]{1,20}", text) is not None and 1 <= int(text) <= SECONDS_MAX
