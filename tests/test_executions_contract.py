"""What everything that runs executions promises to the engine: the embedded driver, and Step Functions through boto3.

boto3's Step Functions is the embedded engine behind AWS's protocol, and, for what it does, moto.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from workflows.asl.reading import definition
from workflows.aws import clients
from workflows.aws.step_functions import StepFunctions
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.api import StepFunctionsApi
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.executions import Executions, ExecutionsUnavailable, TokenGone
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database

WAITING = """
QueryLanguage: JSONata
StartAt: Wait
States:
  Wait:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments:
      FunctionName: Tell
      Payload: {said: "{% $states.input %}", token: "{% $states.context.Task.Token %}"}
    Catch: [{ErrorEquals: [NotNow], Output: "{% $states.errorOutput.Cause %}", Next: Caught}]
    End: true
  Caught:
    Type: Succeed
"""
DEADLINE_S = 20.0


@dataclass
class Place:
    """Somewhere executions run: what to call, the ARN of the machine, and what can be seen of it."""

    executions: Executions
    machine: str
    told: queue.Queue[dict[str, Any]]
    outcome: Callable[[str], dict[str, Any]]
    client: Any = None

    def token(self) -> str:
        """The token of the execution that waits next."""
        return self.told.get(timeout=DEADLINE_S)["token"]


class Callees:
    """One function, which keeps its payloads."""

    def __init__(self) -> None:
        self.told: queue.Queue[dict[str, Any]] = queue.Queue()

    def invoke(self, function: str, payload: Any) -> Future[Any]:
        assert function == "Tell"
        self.told.put(payload)
        answered: Future[Any] = Future()
        answered.set_result({})
        return answered


@contextmanager
def opened(folder: Path, protocol: Callable[[str], Any] | None) -> Iterator[Place]:
    """The embedded engine with one machine; with ``protocol``, boto3's client of an endpoint, reached through that."""
    with ExitStack() as stack:
        clock = SystemClock()
        hub = stack.enter_context(closing(Hub()))
        alarms = Alarms(clock, hub)
        stack.callback(alarms.close)
        database = stack.enter_context(Database(folder / "engine.db", hub=hub))
        journal = Journal(database)
        definitions = Definitions(journal)
        callees = Callees()
        machine = Machine("Waiting", False, definition.parse(WAITING, name="Waiting"))
        machines = {"Waiting": machine}
        driver = Driver(database, journal, definitions, machines, callees, clock=clock, hub=hub, alarms=alarms)
        driver.begin()
        stack.callback(driver.close)
        reports = Reports(journal, definitions)

        def outcome(name: str) -> dict[str, Any]:
            arn = arns.execution_arn("Waiting", name)
            driver.ended(arn).result(DEADLINE_S)
            return reports.describe(arn)

        place = Place(driver, arns.machine_arn("Waiting"), callees.told, outcome)
        if protocol is not None:
            api = StepFunctionsApi(driver, reports)
            stack.callback(api.close)
            place.client = protocol(api.url)
            place.executions = StepFunctions(place.client)
        yield place


@pytest.fixture
def protocol(aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """The client of the process, at an endpoint that the environment names."""

    def client(url: str) -> Any:
        monkeypatch.setenv("AWS_ENDPOINT_URL_SFN", url)
        return clients.step_functions()

    return client


@pytest.fixture(params=["embedded", "step functions' protocol"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with opened(tmp_path, None if request.param == "embedded" else request.getfixturevalue("protocol")) as place:
        yield place


@pytest.fixture
def at_aws(tmp_path: Path, protocol) -> Iterator[Place]:
    """For what only the adapter can show."""
    with opened(tmp_path, protocol) as place:
        yield place


def test_an_execution_gets_its_input_and_ends_with_what_its_token_brings(place: Place):
    """Any JSON, both ways."""
    given = {"order_id": "ord_1", "n": [1, 2.5, None, True], "text": "ü ☕"}
    place.executions.start(place.machine, "one", given)
    told = place.told.get(timeout=DEADLINE_S)
    assert told["said"] == given
    place.executions.succeed(told["token"], {"answer": "déjà"})
    found = place.outcome("one")
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"answer": "déjà"})


def test_a_token_can_fail_its_task(place: Place):
    """The machine routes on the error's name, and sees the cause."""
    place.executions.start(place.machine, "one", {})
    place.executions.fail(place.token(), "NotNow", "the kitchen is closed")
    assert json.loads(place.outcome("one")["output"]) == "the kitchen is closed"


@pytest.mark.parametrize("again", [{"n": 1}, {"n": 2}], ids=["same input", "other input"])
def test_a_name_starts_one_execution_however_often_it_is_asked_for(place: Place, again: dict[str, int]):
    """While it runs and after it ended: started already is started."""
    place.executions.start(place.machine, "one", {"n": 1})
    place.executions.start(place.machine, "one", again)
    place.executions.succeed(place.token(), {})
    place.outcome("one")
    place.executions.start(place.machine, "one", again)
    place.executions.start(place.machine, "two", {})
    assert place.told.get(timeout=DEADLINE_S)["said"] == {}
    assert place.told.empty()


def test_a_token_settles_once_and_is_gone(place: Place):
    """A later answer is refused and changes nothing."""
    place.executions.start(place.machine, "one", {})
    token = place.token()
    place.executions.succeed(token, {"first": True})
    with pytest.raises(TokenGone):
        place.executions.succeed(token, {})
    with pytest.raises(TokenGone):
        place.executions.fail(token, "Late", "")
    assert json.loads(place.outcome("one")["output"]) == {"first": True}


def test_what_never_was_a_token_is_gone(place: Place):
    """No task waits with it."""
    with pytest.raises(TokenGone):
        place.executions.succeed("no token", {})
    with pytest.raises(TokenGone):
        place.executions.fail("no token", "Any", "")


# --- what the network adds --------------------------------------------------------------------------------------------


def timed_out(**_: Any) -> Any:
    raise ReadTimeoutError(endpoint_url="injected")


def unreachable(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="injected")


def refused(code: str, status: int) -> Callable[..., Any]:
    error = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda **_: (SimpleNamespace(status_code=status), error)


def test_a_start_that_botocore_repeats_starts_once(at_aws: Place, next_time):
    """Its first answer was lost."""
    happened = next_time(at_aws.client, "needs-retry.stepfunctions.StartExecution", lambda **_: 0)
    at_aws.executions.start(at_aws.machine, "one", {})
    assert happened
    at_aws.token()
    assert at_aws.told.empty()


def test_a_token_that_botocore_settles_twice_is_gone_the_second_time(at_aws: Place, next_time):
    """AWS does not say whose the first was; the task went on, which is what was wanted."""
    at_aws.executions.start(at_aws.machine, "one", {})
    next_time(at_aws.client, "needs-retry.stepfunctions.SendTaskSuccess", lambda **_: 0)
    with pytest.raises(TokenGone):
        at_aws.executions.succeed(at_aws.token(), {"settled": True})
    assert json.loads(at_aws.outcome("one")["output"]) == {"settled": True}


@pytest.mark.parametrize(
    "fault",
    [
        timed_out,
        unreachable,
        refused("ThrottlingException", 400),
        refused("ExecutionLimitExceeded", 400),
        refused("KmsThrottlingException", 400),
        refused("ServiceUnavailable", 503),
    ],
)
def test_no_answer_and_not_now_are_unavailable_and_can_be_repeated(at_aws: Place, next_time, fault):
    """The same call again does what the first should have done, or finds it done."""
    executions = at_aws.executions
    next_time(at_aws.client, "before-call.stepfunctions.StartExecution", fault)
    with pytest.raises(ExecutionsUnavailable):
        executions.start(at_aws.machine, "one", {})
    executions.start(at_aws.machine, "one", {})
    token = at_aws.token()
    for operation, call in (
        ("SendTaskSuccess", lambda: executions.succeed(token, {})),
        ("SendTaskFailure", lambda: executions.fail(token, "NotNow", "")),
    ):
        next_time(at_aws.client, f"before-call.stepfunctions.{operation}", fault)
        with pytest.raises(ExecutionsUnavailable):
            call()
    executions.succeed(token, {})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
def test_every_word_for_a_token_that_nobody_waits_with_is_understood(at_aws: Place, next_time, code: str):
    """AWS has three."""
    for operation, call in (
        ("SendTaskSuccess", lambda: at_aws.executions.succeed("any", {})),
        ("SendTaskFailure", lambda: at_aws.executions.fail("any", "Any", "")),
    ):
        next_time(at_aws.client, f"before-call.stepfunctions.{operation}", refused(code, 400))
        with pytest.raises(TokenGone):
            call()


def test_our_own_mistakes_are_not_called_unavailable(at_aws: Place):
    """No machine, or a name that AWS does not take: it does not go away by asking again."""
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        at_aws.executions.start(arns.machine_arn("Nothing"), "one", {})
    with pytest.raises(ClientError, match="InvalidName"):
        at_aws.executions.start(at_aws.machine, "a name with spaces", {})


def test_moto_agrees_on_what_a_start_is(moto):
    """Another reading of AWS's documentation: a name is taken while its execution runs and after it."""
    client = clients.step_functions()
    passing = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::123456789012:role/any"
    arn = client.create_state_machine(name="Any", definition=json.dumps(passing), roleArn=role)["stateMachineArn"]
    for given in ({"n": 1}, {"n": 1}, {"n": 2}):
        StepFunctions(client).start(arn, "one", given)
    (execution,) = client.list_executions(stateMachineArn=arn)["executions"]
    client.stop_execution(executionArn=execution["executionArn"])
    StepFunctions(client).start(arn, "one", {"n": 1})
    assert len(client.list_executions(stateMachineArn=arn)["executions"]) == 1
