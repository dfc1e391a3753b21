"""Step Functions for a deployment: the embedded engine runs the deployed machines against the deployed functions.

MiniStack's own Step Functions cannot run these machines: it does not support an expression in ``TimeoutSeconds``,
errors of functions have no names, ``sync:2`` children fail without a cause, and machine timeouts are ignored. The
deployed functions therefore use this engine, at ``AWS_ENDPOINT_URL_SFN``. It runs the deployed definitions, read from
the state machines that CloudFormation created, and invokes functions by their ARNs through Lambda's API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from tests.deployment import gaps
from tests.deployment.deployer import Account, Stack
from workflows.asl.reading import definition
from workflows.asl.signals import JSON
from workflows.clock import SystemClock
from workflows.embedded.alarms import Alarms
from workflows.embedded.lambda_.functions import FunctionFailed
from workflows.embedded.step_functions.api import StepFunctionsApi
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

INVOCATIONS_MAX = 16
"""At once; Lambda would serve a thousand, this machine has two cores."""

ANSWERS_WITHIN_S = 60
"""Longer than the timeout of any function that a machine calls."""


class DeployedFunctions:
    """Invokes functions as Step Functions does, with its names and causes of errors."""

    def __init__(self, account: Account) -> None:
        self._lambda = account.client(
            "lambda",
            Config(
                read_timeout=ANSWERS_WITHIN_S, retries={"total_max_attempts": 1}, max_pool_connections=INVOCATIONS_MAX
            ),
        )
        self._threads = ThreadPoolExecutor(INVOCATIONS_MAX, thread_name_prefix="invocation")

    def invoke(self, function: str, payload: JSON) -> Deferred[JSON]:
        """Invoke a function. The future holds its result, or FunctionFailed."""
        return self._threads.submit(self._invoke, function, payload)

    def close(self) -> None:
        """Drop the calls that have not started, and wait for those that have."""
        self._threads.shutdown(cancel_futures=True)

    def _invoke(self, function: str, payload: JSON) -> JSON:
        try:
            answered = self._lambda.invoke(FunctionName=function, Payload=json.dumps(payload), LogType="Tail")
        except ClientError as error:
            raise FunctionFailed(f"Lambda.{error.response['Error']['Code']}", str(error)) from error
        except BotoCoreError as error:
            raise FunctionFailed("Lambda.SdkClientException", str(error)) from error
        result: Any = json.loads(answered["Payload"].read() or b"null")
        if "FunctionError" in answered:
            name = gaps.error_name(result["errorType"], answered.get("LogResult", ""))
            raise FunctionFailed(name, json.dumps({**result, "errorType": name}))
        return result  # type: ignore[no-any-return]  # the result of a function is JSON


@contextmanager
def driving(account: Account, stack: Stack, file: Path, port: int) -> Iterator[str]:
    """Run the stack's machines behind Step Functions' API on ``port``, and yield its URL.

    ``file`` has the executions, which end with the machines when the stack is deleted.
    """
    clock = SystemClock()
    with ExitStack() as opened:
        hub = opened.enter_context(closing(Hub()))
        database = opened.enter_context(Database(file, hub=hub))
        alarms = opened.enter_context(closing(Alarms(clock, hub)))
        journal = Journal(database)
        definitions = Definitions(journal)
        functions = DeployedFunctions(account)
        machines = {machine.name: machine for machine in _machines(account, stack)}
        driver = Driver(database, journal, definitions, machines, functions, clock=clock, hub=hub, alarms=alarms)
        opened.callback(driver.close)
        opened.callback(functions.close)
        driver.begin()
        api = opened.enter_context(closing(StepFunctionsApi(driver, Reports(journal, definitions), port=port)))
        yield api.url


def _machines(account: Account, stack: Stack) -> Iterator[Machine]:
    client = account.client("stepfunctions")
    for arn in stack.resources.values():
        if ":stateMachine:" in arn:
            described = client.describe_state_machine(stateMachineArn=arn)
            parsed = definition.parse(described["definition"], name=described["name"])
            yield Machine(described["name"], described["type"] == "EXPRESS", parsed)
