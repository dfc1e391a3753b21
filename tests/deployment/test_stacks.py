"""The stacks as ``make deploy`` deployed them three times: before the engine was deleted, after it with the code of a
bad commit, and then, rolled back, this one on a restored log.
"""

from __future__ import annotations

import base64
import json
import secrets
from hashlib import sha256
from typing import Any

import pytest
from botocore.exceptions import ClientError

from domain.money import Money
from tests.deployment.conftest import Join
from tests.deployment.deployer import ARTIFACTS, BAD_CODE, CODE
from tests.deployment.deployment import Deployment
from tests.deployment.drill import executions
from tests.deployment.people import DEADLINE_S, Listener, a_meal, fulfilled, open_restaurant
from workflows.client import ExpediterClient


def test_orders_are_recorded_in_the_restored_log_alone(deployment: Deployment, join: Join) -> None:
    """The other tests drive orders to their ends on it. The former table stays as it was."""
    customer, restaurant = join("customer"), join("restaurant")
    open_restaurant(restaurant)
    order_id = customer.place(a_meal(restaurant.id), key="dinner")["id"]
    restored, dynamodb = deployment.outputs["EventsTable"], deployment.root.client("dynamodb")
    assert restored.endswith("-Events-restored")

    def commits(table: str) -> int:
        key = {":pk": {"S": f"order#{order_id}"}}
        found = dynamodb.query(TableName=table, KeyConditionExpression="pk = :pk", ExpressionAttributeValues=key)
        return int(found["Count"])

    (former,) = [name for name in dynamodb.list_tables()["TableNames"] if "-state-Events-" in name]
    assert commits(restored) > 0
    assert commits(former) == 0


def test_a_restored_log_gets_what_a_restore_leaves_out(deployment: Deployment) -> None:
    """The stream, on which orders start; backups; and protection from deletion."""
    table, dynamodb = deployment.outputs["EventsTable"], deployment.root.client("dynamodb")
    described = dynamodb.describe_table(TableName=table)["Table"]
    assert described["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert described["LatestStreamArn"] == deployment.outputs["EventsStream"]
    assert described["DeletionProtectionEnabled"] is True
    backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"


def test_the_state_cannot_be_replaced_or_deleted(deployment: Deployment) -> None:
    """A stack policy refuses the update, and termination protection the deletion."""
    formation, state = deployment.root.client("cloudformation"), _state(deployment)
    with pytest.raises(ClientError, match="TerminationProtection is enabled"):
        formation.delete_stack(StackName=state["StackName"])
    assert state["EnableTerminationProtection"] is True
    policy = json.loads(formation.get_stack_policy(StackName=state["StackName"])["StackPolicyBody"])
    assert {"Update:Replace", "Update:Delete"} in [set(each["Action"]) for each in policy["Statement"]]


def test_a_rollback_moves_every_alias_to_the_former_code_and_keeps_the_state(deployment: Deployment) -> None:
    """Deploying the former commit is all that a rollback needs. Routes, machines and streams call aliases."""
    functions = deployment.root.client("lambda")
    aliases = [name for name in deployment.resources if name.endswith("Aliaslive")]
    assert len(aliases) > 15
    code, bad = (_sha256(deployment.root, key) for key in (CODE, BAD_CODE))
    assert code != bad
    for name in aliases:
        function = deployment.resources[name.removesuffix("Aliaslive")]
        alias = functions.get_alias(FunctionName=function, Name="live")
        assert alias["FunctionVersion"] != "$LATEST", name
        assert functions.get_function_configuration(FunctionName=function, Qualifier="live")["CodeSha256"] == code, name
    assert _state(deployment)["StackStatus"] == "UPDATE_COMPLETE"


def test_deleting_the_engine_and_deploying_it_again_keeps_everything_of_the_state(deployment: Deployment) -> None:
    """Each of its resources is still the same one, and is there. The engine's API is another one; the emulator gives
    other resources their former names.
    """
    name, root = _state(deployment)["StackName"], deployment.root
    now = root.client("cloudformation").describe_stack_resources(StackName=name)["StackResources"]
    before = deployment.deleted
    assert {each["LogicalResourceId"]: before[each["LogicalResourceId"]] for each in now} == {
        each["LogicalResourceId"]: each["PhysicalResourceId"] for each in now
    }
    tables, kms = set(root.client("dynamodb").list_tables()["TableNames"]), root.client("kms")
    assert {before["Events"], before["DataKeys"]} <= tables
    keys = [kms.describe_key(KeyId=before[key])["KeyMetadata"] for key in ("TableKey", "CustomerKey", "CheckpointKey")]
    assert [key["KeyState"] for key in keys] == ["Enabled"] * 3
    buckets = {bucket["Name"] for bucket in root.client("s3").list_buckets()["Buckets"]}
    assert {before["Archive"], before["Pictures"], before["PublishedCheckpoints"]} <= buckets
    assert root.client("cognito-idp").describe_user_pool(UserPoolId=before["Callers"])["UserPool"]["Id"]
    apis = {api["ApiId"] for api in root.client("apigatewayv2").get_apis()["Items"]}
    assert before["ServerlessHttpApi"] not in apis


def test_an_order_under_way_reaches_its_end_after_the_engine_was_deleted_and_a_bad_deployment_was_rolled_back(
    deployment: Deployment, listener: Listener
) -> None:
    """Its first execution and its documents went with the engine. The next deployment starts another one from the log,
    which waits through the rollback, and goes on in the restored log. The bad commit's API of restaurants raised an
    error at every call.
    """
    order = deployment.under_way
    assert order["accept"].startswith("5")
    customer, restaurant, courier = (
        ExpediterClient(deployment.api, order[role], DEADLINE_S) for role in ("customer", "restaurant", "courier")
    )
    fulfilled(order["order"], customer, restaurant, courier, listener)
    money = deployment.money_of(order["order"])
    assert money is not None
    assert (money.held, money.captured) == (Money(0, "EUR"), Money(2800, "EUR"))
    assert len(executions(deployment, order["order"])) == 1


def _state(deployment: Deployment) -> Any:
    stacks = deployment.root.client("cloudformation").describe_stacks()["Stacks"]
    (state,) = [each for each in stacks if each["StackName"].endswith("-state")]
    return state


def _sha256(account: Any, key: str) -> str:
    body = account.client("s3").get_object(Bucket=ARTIFACTS, Key=key)["Body"].read()
    return base64.b64encode(sha256(body).digest()).decode()


CALLS = {
    "KeysChangedRule": ("kms.amazonaws.com", "ScheduleKeyDeletion"),
    "TablesChangedRule": ("dynamodb.amazonaws.com", "DeleteTable"),
    "GroupsChangedRule": ("cognito-idp.amazonaws.com", "AdminAddUserToGroup"),
    "FactorsChangedRule": ("cognito-idp.amazonaws.com", "AdminSetUserMFAPreference"),
    "TokenRolesChangedRule": ("lambda.amazonaws.com", "UpdateFunctionCode20150331v2"),
}
"""A call by hand that each rule reports."""


@pytest.mark.parametrize("rule", CALLS)
def test_the_loss_of_a_key_a_table_a_role_or_a_factor_is_sent_to_the_subscribers_of_alarms(
    deployment: Deployment, rule: str
) -> None:
    """The drill of a key that is scheduled for deletion. Only AWS may put events with its own sources, so a copy of the
    deployed rule with another source gets CloudTrail's record, and sends it through the deployed target.
    """
    source, call = CALLS[rule]
    events, sqs, sns = (deployment.root.client(name) for name in ("events", "sqs", "sns"))
    name = deployment.resources[rule]
    pattern = json.loads(events.describe_rule(Name=name)["EventPattern"])
    [target] = events.list_targets_by_rule(Rule=name)["Targets"]
    record = _record(source, call, deployment)
    original = {"id": "1", "time": "2026-05-04T12:00:00Z", "source": pattern["source"][0], "account": "1", "region": ""}
    trail = {"detail-type": "AWS API Call via CloudTrail", "resources": [], "detail": record}
    assert events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps({**original, **trail}))[
        "Result"
    ]
    copy = f"drill-{secrets.token_hex(4)}"
    queue = sqs.create_queue(QueueName=copy)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allowed = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**allowed, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": json.dumps(policy)})
    subscribed = sns.subscribe(TopicArn=deployment.resources["Alarms"], Protocol="sqs", Endpoint=arn)
    events.put_rule(Name=copy, EventPattern=json.dumps({**pattern, "source": [copy]}))
    events.put_targets(Rule=copy, Targets=[target])
    try:
        entry = {"Source": copy, "DetailType": trail["detail-type"], "Detail": json.dumps(record)}
        events.put_events(Entries=[entry, {**entry, "Detail": json.dumps(record | {"eventName": "DescribeKey"})}])
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=20, MaxNumberOfMessages=10)["Messages"]
    finally:
        events.remove_targets(Rule=copy, Ids=[target["Id"]])
        events.delete_rule(Name=copy)
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=queue)
    [message] = [json.loads(each["Body"])["Message"] for each in received]
    assert call in message
    assert ("5ebe0000" in message) == source.startswith("cognito-idp")
    assert "arn:aws:iam::000000000000:user/mallory" in message
    assert "docs/runbook.md#changes-by-hand" in message


def _record(source: str, call: str, deployment: Deployment) -> dict[str, Any]:
    """Make CloudTrail's record of a call on the deployed resources."""
    key = deployment.outputs["CustomerKeyArn"]
    return {
        "eventSource": source,
        "eventName": call,
        "eventTime": "2026-05-04T12:00:00Z",
        "userIdentity": {"arn": "arn:aws:iam::000000000000:user/mallory"},
        "requestParameters": {
            "keyId": key,
            "username": "HIDDEN_DUE_TO_SECURITY_REASONS",
            "functionName": deployment.resources["TokenRoles"],
            "tableName": deployment.outputs["EventsTable"],
            "userPoolId": deployment.outputs["UserPoolId"],
        },
        "additionalEventData": {"sub": "5ebe0000-0000-4000-8000-000000000001"},
        "resources": [{"ARN": key, "accountId": "000000000000", "type": "AWS::KMS::Key"}],
    }
