"""Deploy the built template as ``sam deploy`` does: the code to a bucket, the rest as one stack."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

from tests.deployment.emulator import REGION

DEPLOYED_WITHIN_S = 60.0
ARTIFACTS = "expediter-artifacts"
CODE = "code.zip"
TEMPLATE = "template.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Credentials at an AWS endpoint. The default keys are the emulator's root user."""

    url: str
    key: str = "test"
    secret: str = "test"
    token: str | None = None

    def client(self, service: str, config: Config | None = None) -> Any:
        """Make boto3's client of a service."""
        make: Any = boto3.client  # its type requires the service's name as a literal
        return make(
            service,
            config=config,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
            aws_session_token=self.token,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A created stack: physical ids by logical id, and the template's outputs."""

    resources: Mapping[str, str]
    outputs: Mapping[str, str]


class DeploymentFailed(Exception):
    """The stack was not created. The message has the reason of each resource."""


def deploy(account: Account, template: Mapping[str, Any], code: bytes, parameters: Mapping[str, str]) -> Stack:
    """Create the stack and wait for it. ``template`` is translated: CloudFormation's own language.

    Raises:
        DeploymentFailed: A resource could not be created.
    """
    s3, formation = account.client("s3"), account.client("cloudformation")
    name = f"expediter-{secrets.token_hex(3)}"  # an emulator that outlives a run has the stacks of other runs
    s3.create_bucket(Bucket=ARTIFACTS)
    s3.put_object(Bucket=ARTIFACTS, Key=CODE, Body=code)
    s3.put_object(Bucket=ARTIFACTS, Key=TEMPLATE, Body=json.dumps(template))
    formation.create_stack(
        StackName=name,
        TemplateURL=f"{account.url}/{ARTIFACTS}/{TEMPLATE}",  # in the call itself it may have 51,200 bytes
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        Parameters=[{"ParameterKey": name, "ParameterValue": value} for name, value in parameters.items()],
    )
    return _created(formation, name)


def _created(formation: Any, name: str) -> Stack:
    deadline = time.monotonic() + DEPLOYED_WITHIN_S
    while True:
        [stack] = formation.describe_stacks(StackName=name)["Stacks"]
        if stack["StackStatus"] == "CREATE_COMPLETE":
            break
        if stack["StackStatus"] != "CREATE_IN_PROGRESS" or time.monotonic() > deadline:
            raise DeploymentFailed(f"{stack['StackStatus']}: {_what_failed(formation, name)}")
        time.sleep(0.1)  # CloudFormation can only be polled
    resources = formation.describe_stack_resources(StackName=name)["StackResources"]
    return Stack(
        resources={resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
        outputs={output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])},
    )


def _what_failed(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
    return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)
