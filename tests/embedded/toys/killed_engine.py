"""A process for the tests to kill: starts executions, prints which were started, ends when all have ended.

``python killed_engine.py FOLDER ORDERS``. Every line on stdout is a fact: ``started order-3``, ``did order-3 first``,
``ended``.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import toy_handlers

from workflows.asl.reading import definition
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import Functions
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.running import Definitions
from workflows.embedded.template import Function
from workflows.engine import assemble
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

PARENT = """
QueryLanguage: JSONata
StartAt: First
States:
  First:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: RecordSlowly
      Payload: {file: "{% $states.input.file %}", line: "{% $states.input.order & ' first' %}"}
    Assign: {order: "{% $states.input.order %}", file: "{% $states.input.file %}"}
    Next: Both
  Both:
    Type: Parallel
    Branches:
      - StartAt: Child
        States:
          Child:
            Type: Task
            Resource: arn:aws:states:::states:startExecution.sync:2
            Arguments:
              StateMachineArn: "CHILD_ARN"
              Name: "{% $order & '-child' %}"
              Input: {file: "{% $file %}", order: "{% $order %}"}
            End: true
      - StartAt: Express
        States:
          Express:
            Type: Task
            Resource: arn:aws:states:::aws-sdk:sfn:startSyncExecution
            Arguments:
              StateMachineArn: "EXPRESS_ARN"
              Input: "{% $string({'file': $file, 'order': $order}) %}"
            End: true
    Next: Rest
  Rest: {Type: Wait, Seconds: 1, Next: Last}
  Last:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: RecordSlowly
      Payload: {file: "{% $file %}", line: "{% $order & ' last' %}"}
    Output: {order: "{% $order %}"}
    End: true
""".replace("CHILD_ARN", arns.machine_arn("Child")).replace("EXPRESS_ARN", arns.machine_arn("Express"))


def recording(line: str) -> str:
    return f"""
QueryLanguage: JSONata
StartAt: Do
States:
  Do:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke
    Arguments:
      FunctionName: RecordSlowly
      Payload: {{file: "{{% $states.input.file %}}", line: "{{% $states.input.order & ' {line}' %}}"}}
    End: true
"""


MACHINES = {
    name: Machine(name, name == "Express", definition.parse(text, name=name))
    for name, text in {"Parent": PARENT, "Child": recording("child"), "Express": recording("express")}.items()
}
FUNCTION = Function(
    logical_id="RecordSlowly",
    handler="killed_engine.record_aloud",
    timeout_s=30,
    memory_mb=128,
    environment={},
    routes=(),
)


def say(line: str) -> None:
    """Print a line in one piece, although threads print at once."""
    os.write(1, f"{line}\n".encode())


def record_aloud(event: Any, context: Any) -> Any:
    toy_handlers.record_slowly(event, context)
    say(f"did {event['line']}")
    return event


def main(folder: Path, orders: int) -> None:
    clock, nothing = SystemClock(), None
    hub = Hub()
    database, alarms = Database(folder / "engine.sqlite", hub=hub), Alarms(clock, hub)
    journal = Journal(database)
    functions = Functions({"RecordSlowly": FUNCTION}, clock=clock, hub=hub, alarms=alarms, workers=16)
    definitions, timing = Definitions(journal), {"clock": clock, "hub": hub, "alarms": alarms}
    driver = Driver(database, journal, definitions, MACHINES, functions, in_memory_max=8, **timing)
    ports: dict[str, Any] = dict.fromkeys(("log", "documents", "payments", "kitchen", "couriers"), nothing)
    functions.start(assemble(executions=driver, clock=clock, **ports))
    driver.begin()
    names = [f"order-{number}" for number in range(orders)]
    for name in names:
        driver.start("Parent", name, {"file": str(folder / "lines"), "order": name})
        say(f"started {name}")
    for name in names:
        driver.ended(arns.execution_arn("Parent", name)).result(90)
    functions.close(90)
    driver.close()
    alarms.close()
    database.close()
    say("ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
