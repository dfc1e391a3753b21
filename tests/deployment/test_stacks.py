"""The stacks as ``make deploy`` deployed them: twice, the second time onto a restored log, by one parameter."""

from __future__ import annotations

import json

from tests.deployment.conftest import Join
from tests.deployment.deployment import Deployment
from tests.deployment.people import a_meal, open_restaurant


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
    formation = deployment.root.client("cloudformation")
    (state,) = [each for each in formation.describe_stacks()["Stacks"] if each["StackName"].endswith("-state")]
    assert state["EnableTerminationProtection"] is True
    policy = json.loads(formation.get_stack_policy(StackName=state["StackName"])["StackPolicyBody"])
    assert {"Update:Replace", "Update:Delete"} in [set(each["Action"]) for each in policy["Statement"]]
