"""A deployed stack apart from its orders: publishing, encryption, audit, incidents and the command line."""

from __future__ import annotations

import base64
import hmac
import json
import os
import secrets
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import httpx
import pytest

from domain.identifiers import OrderId
from tests.catalogue.sample_pictures import png
from tests.deployment.conftest import Join
from tests.deployment.deployment import Deployment
from tests.deployment.emulator import REGION
from tests.deployment.people import DEADLINE_S, Listener, a_meal, open_restaurant, placed
from tests.deployment.roles import NO_JSON
from tests.handlers.conftest import Shop
from tests.publishing.verifying_receiver import VerifyingReceiver, receiving
from tests.queued_events import take_events
from workflows.aws.event_log import _item
from workflows.client import ApiProblem
from workflows.event_store.commits import Commit
from workflows.event_store.segments import is_pointer
from workflows.event_store.streams import order_stream
from workflows.tracing import trace_of_xray

T = TypeVar("T")

EXPEDITER = Path(sys.executable).with_name("expediter")


class CommandLine:
    """``expediter`` with the account's credentials, and with a home folder of its own."""

    def __init__(self, deployment: Deployment, home: Path) -> None:
        account = deployment.root
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "AWS_ENDPOINT_URL": account.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": account.key,
            "AWS_SECRET_ACCESS_KEY": account.secret,
        }

    def run(self, *arguments: str, stdin: str = "", token: str = "") -> str:
        environment = {**self._environment, **({"EXPEDITER_TOKEN": token} if token else {})}
        done = subprocess.run(
            [EXPEDITER, *arguments], input=stdin, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str, token: str = "") -> Any:
        return json.loads(self.run(*arguments, "--json", token=token))


@pytest.fixture
def expediter(deployment: Deployment, tmp_path: Path) -> CommandLine:
    """The command line with the deployment's address."""
    return CommandLine(deployment, tmp_path)


def test_published_events_arrive_in_the_queue_of_a_backend_service(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """Through stream, publisher, bus, rule, topic and queue: CloudEvents with the sequence of the order."""
    customer, restaurant = join("customer"), join("restaurant")
    order_id = placed(customer, restaurant, listener)
    restaurant.reject(order_id, "closed for the night")
    sqs, queue = deployment.root.client("sqs"), deployment.outputs["OrderEventsQueueUrl"]
    kinds: dict[str, str] = {}
    deadline = time.monotonic() + DEADLINE_S
    while "expediter.order.cancelled.v1" not in kinds.values():
        assert time.monotonic() < deadline, kinds
        received = take_events(sqs, queue, wait_s=5)
        kinds |= {event["sequence"]: event["type"] for event in received if event["subject"] == order_id}
    names = [kind.removeprefix("expediter.").removesuffix(".v1") for _, kind in sorted(kinds.items())]
    assert names == [
        *("order.placed", "payment.authorized", "preparation.rejected", "order.cancellation-requested"),
        *("payment.voided", "order.cancelled"),
    ]


def test_one_trace_leads_from_the_request_over_the_machine_to_the_providers(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """Every commit and every call of the order carry the id that the client sent, and the answer returns it.

    The emulator drops ``traceHeader`` of an execution and ``TraceHeader`` of an event, which the contract suites show.
    """
    customer, restaurant, trace = join("customer"), join("restaurant"), secrets.token_hex(16)
    open_restaurant(restaurant)
    headers = {"Authorization": f"Bearer {customer.token}", "Idempotency-Key": "traced"}
    answered = httpx.post(
        f"{deployment.api}/orders",
        json=a_meal(restaurant.id),
        headers={**headers, "traceparent": f"00-{trace}-00f067aa0ba902b7-01"},
    )
    assert trace_of_xray(answered.headers["X-Amzn-Trace-Id"]) == trace
    order_id = answered.json()["id"]

    def called() -> set[str]:
        return {path.split("/")[1] for path in deployment.provider_calls(trace)}

    assert listener.until(called, lambda providers: "kitchen" in providers) == {"payments", "kitchen"}
    assert {event["correlation"] for event in customer.history(order_id)} == {trace}


def test_the_role_of_support_is_in_a_token_once_a_second_factor_is_set_up(deployment: Deployment, join: Join) -> None:
    """The deployed function of the pool decides it, under its role. The emulator has it change ID tokens alone."""
    support, cognito = join("support"), deployment.root.client("cognito-idp")
    client = {"ClientId": deployment.outputs["ClientId"]}
    password = {"USERNAME": support.name, "PASSWORD": support.password}

    def log_in() -> Any:
        return cognito.initiate_auth(**client, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=password)

    assert _groups(log_in()) == []
    secret = cognito.associate_software_token(AccessToken=support.token)["SecretCode"]
    cognito.verify_software_token(AccessToken=support.token, UserCode=_code(secret))
    app = {"Enabled": True, "PreferredMfa": True}
    cognito.set_user_mfa_preference(AccessToken=support.token, SoftwareTokenMfaSettings=app)
    asked = log_in()
    answer = {"USERNAME": support.name, "SOFTWARE_TOKEN_MFA_CODE": _code(secret)}
    challenge = {"ChallengeName": asked["ChallengeName"], "Session": asked["Session"], "ChallengeResponses": answer}
    assert _groups(cognito.respond_to_auth_challenge(**client, **challenge)) == ["support"]


def _groups(answered: Any) -> list[str]:
    _, claims, _ = answered["AuthenticationResult"]["IdToken"].split(".")
    groups: list[str] = json.loads(base64.urlsafe_b64decode(f"{claims}==")).get("cognito:groups", [])
    return groups


def _code(secret: str) -> str:
    """Compute the code of an authenticator app, see RFC 6238."""
    digest = hmac.digest(base64.b32decode(secret), struct.pack(">Q", int(time.time() // 30)), "sha1")
    start = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[start : start + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


@pytest.fixture
def receiver() -> Iterator[VerifyingReceiver]:
    with receiving() as running:
        yield running


def test_a_registered_endpoint_gets_the_signed_events_of_an_order(
    join: Join, listener: Listener, receiver: VerifyingReceiver
) -> None:
    """Through the topic, the queue and the function, from the endpoint that a service registered over HTTP."""
    service, customer, restaurant = join("service"), join("customer"), join("restaurant")
    endpoint_id = receiver.register(service)
    assert service.test_webhook(endpoint_id)["status"] == "delivered"
    order_id = placed(customer, restaurant, listener)
    restaurant.reject(order_id, "closed for the night")

    def received() -> set[str]:
        return {event["type"] for event in receiver.events if event["subject"] == order_id}

    listener.until(received, lambda types: "expediter.order.cancelled.v1" in types)
    service.remove_webhook(endpoint_id)


def test_an_order_is_listed_and_found_on_the_deployed_stack(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """Through the topic, the queue and Projector into PostgreSQL, and by three routes of SearchApi out of it: as a
    ticket of its restaurant, as an order of that restaurant, and by the phone of its customer, with the blind index.
    """
    if not deployment.views:
        pytest.skip("no PostgreSQL can run on this machine")
    restaurant, support = join("restaurant"), join("support")
    order_id = placed(join("customer"), restaurant, listener)

    def tickets() -> list[str]:
        return [ticket["order_id"] for ticket in restaurant.tickets()["tickets"]]

    assert listener.until(once_there_are_tables(tickets), bool) == [order_id]
    assert [order["id"] for order in support.orders(restaurant=restaurant.id)["orders"]] == [order_id]
    by_phone = support.search_orders(phone="+33 1 23 45 67 89", reason="case 1")["orders"]
    assert order_id in {order["id"] for order in by_phone}
    assert support.search_orders(phone="+33 1 98 76 54 32", reason="case 1")["orders"] == []


def once_there_are_tables(read: Callable[[], T]) -> Callable[[], T | None]:
    """Read nothing until the first notice of the stack has created the tables."""

    def read_or_nothing() -> T | None:
        try:
            return read()
        except ApiProblem as problem:
            if problem.name != "ViewsUnavailable":
                raise
            return None

    return read_or_nothing


def test_a_menu_with_a_picture_is_found_on_the_deployed_stack(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """The picture is in the bucket, under the function's role. The views follow by a notice of their own on the bus."""
    restaurant = join("restaurant")
    open_restaurant(restaurant)
    picture = restaurant.upload_picture(restaurant.id, png())
    read = httpx.get(f"{deployment.api}{picture['path']}", timeout=DEADLINE_S)
    assert (read.content, read.headers["content-type"]) == (png(), "image/png")
    sections = restaurant.menu(restaurant.id, 1)["sections"]
    sections[0]["items"][0]["picture"] = picture["name"]
    assert restaurant.publish_menu(restaurant.id, sections)["menu_version"] == 2
    if not deployment.views:
        return

    def menu_versions() -> dict[str, int]:
        return {row["id"]: row["menu_version"] for row in restaurant.restaurants(limit=100)["restaurants"]}

    listener.until(once_there_are_tables(menu_versions), lambda versions: (versions or {}).get(restaurant.id) == 2)


def test_a_deployment_without_sockets_names_the_problem_and_answers_reads_that_wait(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """A client then reads the order again."""
    customer = join("customer")
    order_id = placed(customer, join("restaurant"), listener)
    authorized = {"Authorization": f"Bearer {customer.token}"}
    refused = httpx.post(f"{deployment.api}/live-tickets", headers=authorized, timeout=DEADLINE_S)
    assert (refused.status_code, refused.json()["type"]) == (503, "urn:expediter:problem:LiveUpdatesUnavailable")
    version = f'"{customer.get(order_id)["version"]}"'
    read = httpx.get(
        f"{deployment.api}/orders/{order_id}?wait_s=20",
        headers={**authorized, "If-None-Match": version},
        timeout=DEADLINE_S,
    )
    assert read.status_code in {200, 304}
    assert read.elapsed.total_seconds() < 20


def test_personal_data_is_encrypted_in_the_table_and_readable_by_the_customer(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """It is encrypted with a data key of the customer, which KMS wrapped. The customer can read the address. So is the
    payment method, which the step that authorizes the payment unsealed.
    """
    customer, restaurant = join("customer"), join("restaurant")
    order_id = placed(customer, restaurant, listener)
    tables = deployment.root.client("dynamodb")
    stored = tables.query(
        TableName=deployment.outputs["EventsTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"order#{order_id}"}},
    )["Items"]
    assert stored
    assert not any(text in item["ev"]["S"] for item in stored for text in ("Camille", "Rivoli", "pm_ok"))
    contact = restaurant.get(order_id)["contact"]
    assert isinstance(contact, dict)
    assert contact["name"] == "Camille"


def test_the_chains_of_the_deployed_table_verify(
    deployment: Deployment, join: Join, listener: Listener, expediter: CommandLine
) -> None:
    """``expediter audit verify`` reads the table and the archive with the operator's credentials."""
    placed(join("customer"), join("restaurant"), listener)
    table, archive = deployment.outputs["EventsTable"], deployment.outputs["ArchiveBucket"]
    report = expediter.json("audit", "verify", "--table", table, "--archive", archive)
    assert report["intact"], report
    assert report["streams"] >= 1


def test_a_stopped_execution_becomes_an_incident_that_a_retry_continues(
    deployment: Deployment, join: Join, listener: Listener
) -> None:
    """The event of the stopped execution parks the order through rule, queue and function. Support retries, and a
    new run completes the order.
    """
    customer, restaurant, support = join("customer"), join("restaurant"), join("support")
    order_id = placed(customer, restaurant, listener)
    stop(deployment, f"{order_id}-1")
    order = listener.until(lambda: customer.get(order_id), lambda order: order["parked"])
    assert list(customer.history(order_id))[-1]["type"] == "OrderParked"
    assert support.incident(order_id)
    support.retry(order_id, "the execution was stopped by a test")
    order = listener.until(lambda: customer.get(order_id), lambda order: order["run"] == 2)
    restaurant.reject(order_id, "closed for the night")
    order = listener.until(lambda: customer.get(order_id), lambda order: order["status"] == "cancelled")
    assert order["run"] == 2


def stop(deployment: Deployment, name: str) -> None:
    """Stop a run's execution, and put the event of its end on the default bus.

    Only AWS may put events of ``aws.states`` there, and MiniStack does so only for its own executions. An execution of
    the same name is therefore started there, which fails at once because its input is invalid.
    """
    machine = deployment.resources["OrderMachine"]
    ours = deployment.step_functions_client()
    [running] = [
        execution["executionArn"]
        for execution in ours.list_executions(stateMachineArn=machine, statusFilter="RUNNING")["executions"]
        if execution["name"] == name
    ]
    ours.stop_execution(executionArn=running)
    deployment.root.client("stepfunctions").start_execution(stateMachineArn=machine, name=name, input=NO_JSON)


def test_the_timer_runs_under_its_role(deployment: Deployment) -> None:
    """As the schedule invokes it, with a single look."""
    answered = deployment.root.client("lambda").invoke(FunctionName=deployment.resources["Timer"], Payload=b"{}")
    assert "FunctionError" not in answered, answered["Payload"].read()


def test_orders_that_ended_long_ago_move_to_the_bucket_and_are_read_as_before(
    deployment: Deployment, join: Join
) -> None:
    """The function Archiver, under its role: their contents leave the table, and the chain stays whole."""
    shop = Shop()  # its orders are of May 2026
    order_id = shop.completed()
    stream, support = order_stream(OrderId(order_id)), join("support")
    _insert(deployment, [commit for commit in shop.stored() if commit.pk == stream])
    before = list(support.history(order_id)), support.get(order_id)
    functions, name = deployment.root.client("lambda"), deployment.resources["Archiver"]
    variables = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    functions.update_function_configuration(
        FunctionName=name, Environment={"Variables": {**variables, "ARCHIVE_AFTER_DAYS": "1"}}
    )
    answered = functions.invoke(FunctionName=name, Payload=b'{"for_s": 60}')
    done = json.loads(answered["Payload"].read())
    assert (done.get("orders"), done.get("kept")) == (1, 0), done
    contents = _contents(deployment, stream)
    assert contents
    assert all(is_pointer(content) for content in contents)
    segments = deployment.root.client("s3").list_objects_v2(Bucket=variables["ARCHIVE_BUCKET"], Prefix="segments/")
    assert segments["KeyCount"] == 1
    assert (list(support.history(order_id)), support.get(order_id)) == before


def _insert(deployment: Deployment, commits: list[Commit]) -> None:
    """Insert an order's commits in one transaction, so that no function sees a part of it."""
    table = deployment.outputs["EventsTable"]
    puts: Any = [{"Put": {"TableName": table, "Item": _item(commit)}} for commit in commits]
    deployment.root.client("dynamodb").transact_write_items(TransactItems=puts)


def _contents(deployment: Deployment, stream: str) -> list[str]:
    found = deployment.root.client("dynamodb").query(
        TableName=deployment.outputs["EventsTable"],
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": stream}},
    )
    return [item["ev"]["S"] for item in found["Items"]]


def test_the_documentation_of_the_api_needs_no_token(deployment: Deployment) -> None:
    """Its two routes are public."""
    described = httpx.get(f"{deployment.api}/openapi.json", timeout=DEADLINE_S).json()
    assert described["openapi"].startswith("3.1"), described
    assert "<html" in httpx.get(f"{deployment.api}/docs", timeout=DEADLINE_S).text


def test_the_command_line_works_with_a_deployed_stack(
    deployment: Deployment, join: Join, listener: Listener, expediter: CommandLine
) -> None:
    """The same commands, with a token or after a login with the user pool."""
    customer = join("customer")
    order_id = placed(customer, join("restaurant"), listener)
    show = ("order", "show", order_id, "--url", deployment.api)
    assert expediter.json(*show, token=customer.token)["id"] == order_id
    where = ("--url", deployment.api, "--user-pool-client", deployment.outputs["ClientId"])
    expediter.run("login", *where, "--username", customer.name, stdin=f"{customer.password}\n")
    assert expediter.json(*show)["id"] == order_id
