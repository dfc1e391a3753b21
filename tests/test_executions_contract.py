"""The contracts of ``Executions`` and ``ExecutionReads``: the embedded engine, and Step Functions through boto3.

boto3 talks to the embedded engine behind AWS's protocol, and to moto for the calls that moto supports.
"""

from __future__ import annotations

import json
import queue
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError

from workflows.asl.reading import definition
from workflows.aws import clients
from workflows.aws.execution_reads import StepFunctionsReads
from workflows.aws.step_functions import StepFunctions
from workflows.clock import SystemClock
from workflows.embedded import arns
from workflows.embedded.alarms import Alarms
from workflows.embedded.step_functions.api import StepFunctionsApi
from workflows.embedded.step_functions.driver import Driver
from workflows.embedded.step_functions.journal import Journal
from workflows.embedded.step_functions.machines import Machine
from workflows.embedded.step_functions.reads import JournalReads
from workflows.embedded.step_functions.reports import Reports
from workflows.embedded.step_functions.running import Definitions
from workflows.executions import ExecutionReads, Executions, ExecutionsUnavailable, NoSuchExecution, TokenGone
from workflows.hub.deferred import Deferred
from workflows.hub.hub import Hub
from workflows.sqlite.database import Database
from workflows.tracing import follow, tracing

WAITING = """
QueryLanguage: JSONata
StartAt: Wait
States:
  Wait:
    Type: Task
    Resource: arn:aws:states:::lambda:invoke.waitForTaskToken
    Arguments:
      FunctionName: Tell
      Payload: {input: "{% $states.input %}", token: "{% $states.context.Task.Token %}"}
    Catch: [{ErrorEquals: [NotNow], Output: "{% $states.errorOutput.Cause %}", Next: Caught}]
    End: true
  Caught:
    Type: Succeed
"""
DEADLINE_S = 20.0


@dataclass
class Place:
    """An engine that runs executions, the ARN of its machine, the payloads of its function and its outcomes."""

    executions: Executions
    machine: str
    payloads: queue.Queue[dict[str, Any]]
    outcome: Callable[[str], dict[str, Any]]
    reads: ExecutionReads
    client: Any = None

    def token(self) -> str:
        """Return the token of the execution that waits next."""
        return self.payloads.get(timeout=DEADLINE_S)["token"]


class Callees:
    """The machine's function, which keeps its payloads."""

    def __init__(self) -> None:
        self.payloads: queue.Queue[dict[str, Any]] = queue.Queue()

    def invoke(self, function: str, payload: Any) -> Deferred[Any]:
        assert function == "Tell"
        self.payloads.put(payload)
        answered: Deferred[Any] = Deferred()
        answered.set_result({})
        return answered


@contextmanager
def opened(folder: Path, protocol: Callable[[str], Any] | None) -> Iterator[Place]:
    """Run the embedded engine with one machine; with ``protocol``, behind boto3's client of an endpoint."""
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

        reads = JournalReads(journal, definitions, reports, machines)
        place = Place(driver, arns.machine_arn("Waiting"), callees.payloads, outcome, reads)
        if protocol is not None:
            api = StepFunctionsApi(driver, reports)
            stack.callback(api.close)
            place.client = protocol(api.url)
            place.executions, place.reads = StepFunctions(place.client), StepFunctionsReads(place.client)
        yield place


@pytest.fixture
def protocol(aws, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Create the process's client for an endpoint in the environment."""

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
    """Run executions through boto3 only, for tests of the adapter."""
    with opened(tmp_path, protocol) as place:
        yield place


def test_an_execution_gets_its_input_and_ends_with_the_output_of_its_token(place: Place):
    """Input and output are any JSON."""
    order = {"order_id": "ord_1", "n": [1, 2.5, None, True], "text": "ü ☕"}
    place.executions.start(place.machine, "one", order)
    payload = place.payloads.get(timeout=DEADLINE_S)
    assert payload["input"] == order
    place.executions.succeed(payload["token"], {"answer": "déjà"})
    outcome = place.outcome("one")
    assert (outcome["status"], json.loads(outcome["output"])) == ("SUCCEEDED", {"answer": "déjà"})


def test_a_token_can_fail_its_task(place: Place):
    """The machine matches on the error's name and gets the cause."""
    place.executions.start(place.machine, "one", {})
    place.executions.fail(place.token(), "NotNow", "the kitchen is closed")
    assert json.loads(place.outcome("one")["output"]) == "the kitchen is closed"


@pytest.mark.parametrize("again", [{"n": 1}, {"n": 2}], ids=["same input", "other input"])
def test_a_name_starts_one_execution_when_the_start_is_repeated(place: Place, again: dict[str, int]):
    """While it runs and after it has ended, a repeated start is a success without effect."""
    place.executions.start(place.machine, "one", {"n": 1})
    place.executions.start(place.machine, "one", again)
    place.executions.succeed(place.token(), {})
    place.outcome("one")
    place.executions.start(place.machine, "one", again)
    place.executions.start(place.machine, "two", {})
    assert place.payloads.get(timeout=DEADLINE_S)["input"] == {}
    assert place.payloads.empty()


def test_a_token_settles_its_task_once(place: Place):
    """A later answer is refused and changes nothing."""
    place.executions.start(place.machine, "one", {})
    token = place.token()
    place.executions.succeed(token, {"first": True})
    with pytest.raises(TokenGone):
        place.executions.succeed(token, {})
    with pytest.raises(TokenGone):
        place.executions.fail(token, "Late", "")
    assert json.loads(place.outcome("one")["output"]) == {"first": True}


def test_a_text_that_is_no_token_is_refused_as_gone(place: Place):
    """No task waits with it."""
    with pytest.raises(TokenGone):
        place.executions.succeed("no token", {})
    with pytest.raises(TokenGone):
        place.executions.fail("no token", "Any", "")


# --- reads ------------------------------------------------------------------------------------------------------------


def test_an_execution_is_described_while_it_runs_and_after_its_end(place: Place):
    """Its status, its times and its ARN; the error only of one that failed."""
    place.executions.start(place.machine, "one", {})
    token = place.token()
    running = place.reads.describe(machine=place.machine, name="one")
    assert (running.status, running.stopped_at, running.error) == ("RUNNING", None, "")
    assert running.arn == place.machine.replace(":stateMachine:", ":execution:") + ":one"
    place.executions.fail(token, "Broken", "a bug")
    place.outcome("one")
    ended = place.reads.describe(machine=place.machine, name="one")
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "Broken", "a bug")
    assert ended.stopped_at is not None
    assert ended.started_at == running.started_at <= ended.stopped_at


@pytest.mark.parametrize("reverse", [False, True])
def test_pages_of_a_history_join_to_the_whole(place: Place, reverse: bool):
    """In both orders, whatever the size of a page."""
    place.executions.start(place.machine, "one", {})
    place.executions.succeed(place.token(), {})
    place.outcome("one")
    whole = place.reads.history(machine=place.machine, name="one", limit=1000, reverse=reverse, cursor=None)
    kinds = [event["type"] for event in whole.events]
    assert (kinds[0], kinds[-1]) == ("ExecutionStarted", "ExecutionSucceeded")[:: -1 if reverse else 1]
    assert whole.next is None
    events, cursor = [], None
    while True:
        page = place.reads.history(machine=place.machine, name="one", limit=3, reverse=reverse, cursor=cursor)
        assert len(page.events) <= 3
        events += [event["id"] for event in page.events]
        if (cursor := page.next) is None:
            break
    assert events == [event["id"] for event in whole.events]


def test_what_the_engine_does_not_have_is_named_so(place: Place):
    """An execution that was never started, and a text that is no cursor."""
    with pytest.raises(NoSuchExecution):
        place.reads.describe(machine=place.machine, name="missing")
    with pytest.raises(NoSuchExecution):
        place.reads.history(machine=place.machine, name="missing", limit=10, reverse=False, cursor=None)
    place.executions.start(place.machine, "one", {})
    place.token()
    with pytest.raises(NoSuchExecution):
        place.reads.history(machine=place.machine, name="one", limit=10, reverse=False, cursor="rubbish")


def test_reads_that_are_throttled_are_unavailable(at_aws: Place, next_time):
    """GetExecutionHistory has a quota of some twenty requests a second."""
    at_aws.executions.start(at_aws.machine, "one", {})
    at_aws.token()
    for operation, read in (
        ("DescribeExecution", lambda: at_aws.reads.describe(machine=at_aws.machine, name="one")),
        (
            "GetExecutionHistory",
            lambda: at_aws.reads.history(machine=at_aws.machine, name="one", limit=9, reverse=False, cursor=None),
        ),
    ):
        next_time(at_aws.client, f"before-call.stepfunctions.{operation}", refused("ThrottlingException", 400))
        with pytest.raises(ExecutionsUnavailable):
            read()
        read()


def test_the_definition_is_that_of_the_machine_or_of_the_execution(moto):
    """Moto shows the definition as it was created; the digest is of its text."""
    client = clients.step_functions()
    passing = json.dumps({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}})
    role = "arn:aws:iam::123456789012:role/any"
    arn = client.create_state_machine(name="Any", definition=passing, roleArn=role)["stateMachineArn"]
    client.start_execution(stateMachineArn=arn, name="one")
    reads = StepFunctionsReads(client)
    deployed, begun = reads.definition(machine=arn), reads.definition_of(machine=arn, name="one")
    assert deployed == begun
    assert deployed.raw["StartAt"] == "Pass"


# --- faults of the network --------------------------------------------------------------------------------------------


def timed_out(**_: Any) -> Any:
    raise ReadTimeoutError(endpoint_url="injected")


def unreachable(**_: Any) -> Any:
    raise EndpointConnectionError(endpoint_url="injected")


def refused(code: str, status: int) -> Callable[..., Any]:
    error = {"Error": {"Code": code, "Message": "injected"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return lambda **_: (SimpleNamespace(status_code=status), error)


def test_an_execution_is_started_in_the_current_trace(at_aws: Place):
    """As ``traceHeader``; without a trace there is none."""
    sent: list[Any] = []
    noted = ("provide-client-params.stepfunctions.StartExecution", lambda params, **_: sent.append(params))
    at_aws.client.meta.events.register(*noted)
    with tracing():
        follow("4bf92f3577b34da6a3ce929d0e0e4736")
        at_aws.executions.start(at_aws.machine, "one", {})
    at_aws.executions.start(at_aws.machine, "two", {})
    at_aws.client.meta.events.unregister(*noted)
    assert [params.get("traceHeader") for params in sent] == ["Root=1-4bf92f35-77b34da6a3ce929d0e0e4736", None]


def test_a_start_that_botocore_repeats_starts_once(at_aws: Place, next_time):
    """The first answer was lost, and the second call finds the execution."""
    happened = next_time(at_aws.client, "needs-retry.stepfunctions.StartExecution", lambda **_: 0)
    at_aws.executions.start(at_aws.machine, "one", {})
    assert happened
    at_aws.token()
    assert at_aws.payloads.empty()


def test_a_token_that_botocore_settles_twice_is_gone_the_second_time(at_aws: Place, next_time):
    """AWS does not show who settled it first; in either case the task went on."""
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
def test_timeouts_and_throttling_are_unavailable_and_can_be_repeated(at_aws: Place, next_time, fault):
    """The repeated call has the effect of the first, or finds it done."""
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
def test_every_error_code_for_an_unusable_token_means_that_it_is_gone(at_aws: Place, next_time, code: str):
    """AWS has three codes for a token with which no task waits."""
    for operation, call in (
        ("SendTaskSuccess", lambda: at_aws.executions.succeed("any", {})),
        ("SendTaskFailure", lambda: at_aws.executions.fail("any", "Any", "")),
    ):
        next_time(at_aws.client, f"before-call.stepfunctions.{operation}", refused(code, 400))
        with pytest.raises(TokenGone):
            call()


def test_a_permanent_error_is_not_reported_as_unavailable(at_aws: Place):
    """A retry does not help against a missing machine or an invalid name."""
    with pytest.raises(ClientError, match="StateMachineDoesNotExist"):
        at_aws.executions.start(arns.machine_arn("Nothing"), "one", {})
    with pytest.raises(ClientError, match="InvalidName"):
        at_aws.executions.start(at_aws.machine, "a name with spaces", {})


def test_moto_agrees_on_what_a_start_is(moto):
    """moto is an independent reading of AWS's documentation: a name is taken while its execution runs and after."""
    client = clients.step_functions()
    passing = {"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": True}}}
    role = "arn:aws:iam::123456789012:role/any"
    arn = client.create_state_machine(name="Any", definition=json.dumps(passing), roleArn=role)["stateMachineArn"]
    for order in ({"n": 1}, {"n": 1}, {"n": 2}):
        StepFunctions(client).start(arn, "one", order)
    (execution,) = client.list_executions(stateMachineArn=arn)["executions"]
    client.stop_execution(executionArn=execution["executionArn"])
    StepFunctions(client).start(arn, "one", {"n": 1})
    assert len(client.list_executions(stateMachineArn=arn)["executions"]) == 1
