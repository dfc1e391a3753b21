"""``python -m tests.deployment.sam deploy ...``: stands for the SAM CLI, which cannot deploy to the emulator.

It takes the arguments of ``tools/deploy.py`` and deploys one template, adapted to the emulator by ``gaps``: it creates
the stack, or updates it with the former values of parameters that are not given, if there is anything to update.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.deployment import gaps
from tests.deployment.deployer import ARTIFACTS, CODE_OF_DEPLOYMENT, STEP_FUNCTIONS
from tests.template.translated import TEMPLATE, translated

DEPLOYED_WITHIN_S = 60.0
DONE = ("CREATE_COMPLETE", "UPDATE_COMPLETE")


class DeploymentFailed(Exception):
    """The stack was not deployed. The message has the reason of each resource."""


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("action", choices=["deploy"])
    parser.add_argument("--stack-name", required=True)
    parser.add_argument("--template-file", required=True, type=Path)
    parser.add_argument("--config-file", required=True, type=Path)
    parser.add_argument("--no-fail-on-empty-changeset", action="store_true")
    parser.add_argument("--parameter-overrides", nargs="*", default=[])
    options = parser.parse_args(arguments)
    assert options.config_file.exists()
    # The emulator gets the template itself: the build's has another package for each function.
    source = TEMPLATE if ".aws-sam" in options.template_file.parts else options.template_file
    plain = translated(source, bucket=ARTIFACTS, key=os.environ[CODE_OF_DEPLOYMENT])
    given = {key: value.strip('"') for key, _, value in (each.partition("=") for each in options.parameter_overrides)}
    plain = released(plain, given.get("Release", ""))
    template = gaps.bridged(plain, step_functions=os.environ[STEP_FUNCTIONS])
    deploy(options.stack_name, template, given)


def released(plain: dict[str, Any], release: str) -> dict[str, Any]:
    """Put the release in the place of its default, as SAM does when it knows the parameter."""
    default = plain["Parameters"].get("Release", {}).get("Default")
    if not default:
        return plain
    made: dict[str, Any] = json.loads(json.dumps(plain).replace(default, release))
    return made


def deploy(name: str, template: dict[str, Any], given: dict[str, str]) -> None:
    """Create or update a stack and wait for it.

    Raises:
        DeploymentFailed: A resource could not be created or updated.
    """
    formation = boto3.client("cloudformation")
    url = _uploaded(name, template)
    existing = _existing(formation, name)
    parameters = [{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()]
    parameters += [{"ParameterKey": key, "UsePreviousValue": True} for key in existing or () if key not in given]
    change = formation.create_stack if existing is None else formation.update_stack
    try:
        change(
            StackName=name,
            TemplateURL=url,  # in the call itself it may have 51,200 bytes
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
            Parameters=parameters,
        )
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise
        return
    _wait(formation, name)


def _existing(formation: Any, name: str) -> list[str] | None:
    """Name the parameters of the stack; None if it does not exist."""
    stacks = [stack for stack in formation.describe_stacks()["Stacks"] if stack["StackName"] == name]
    return [each["ParameterKey"] for stack in stacks for each in stack.get("Parameters", [])] if stacks else None


def _uploaded(name: str, template: dict[str, Any]) -> str:
    boto3.client("s3").put_object(Bucket=ARTIFACTS, Key=f"{name}.json", Body=json.dumps(template))
    return f"{os.environ['AWS_ENDPOINT_URL']}/{ARTIFACTS}/{name}.json"


def _wait(formation: Any, name: str) -> None:
    deadline = time.monotonic() + DEPLOYED_WITHIN_S
    while True:
        [stack] = formation.describe_stacks(StackName=name)["Stacks"]
        if stack["StackStatus"] in DONE:
            return
        if not stack["StackStatus"].endswith("_IN_PROGRESS") or time.monotonic() > deadline:
            raise DeploymentFailed(f"{name}: {stack['StackStatus']}: {_what_failed(formation, name)}")
        time.sleep(0.1)  # CloudFormation can only be polled


def _what_failed(formation: Any, name: str) -> str:
    events = formation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if "FAILED" in event["ResourceStatus"]]
    return "; ".join(f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason')}" for event in failed)


if __name__ == "__main__":
    main(sys.argv[1:])
