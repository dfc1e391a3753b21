"""Deploy Expediter's stacks in their order: the state, the engine, what watches both. ``make deploy`` runs it.

The outputs of a stack are the parameters of the same names of the later ones. The engine also gets the release, and
the alarms that bring a deployment back, of the watching stack as it was deployed last. Other parameters are given on
the command line, each to every stack that has it; what is not given keeps the value of the last deployment, or its
default. The state can neither be replaced nor deleted afterwards.
"""

from __future__ import annotations

import argparse
import re
import shlex
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

ROOT = Path(__file__).parents[1]
STATE_POLICY = ROOT / "stacks/state-policy.json"
NAME_MAX = 52
"""Characters of the engine's name: a schedule's may have 64, and the longest one ends with ``-checkpoints``."""

ENABLED_WITHIN_S = 600.0


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack: its template, and ``deployed``, which is the template that the build made of it."""

    name: str
    template: Path
    deployed: Path

    def parameters(self) -> set[str]:
        """Name the parameters of the template, which have a line each."""
        section = self.template.read_text().partition("\nParameters:\n")[2].partition("\n\n")[0]
        return set(re.findall(r"^  (\w+):", section, re.M))


class DeploymentRefused(Exception):
    """Nothing was deployed. The message says what to correct."""


def stacks(name: str) -> list[Stack]:
    """List the stacks in the order of their deployment. Raises DeploymentRefused if the name is too long."""
    if len(name) > NAME_MAX:
        raise DeploymentRefused(f"the stack's name has {len(name)} characters; at most {NAME_MAX} are possible")
    state, watching = ROOT / "stacks/state.yaml", ROOT / "stacks/watching.yaml"
    return [
        Stack(f"{name}-state", state, state),
        Stack(name, ROOT / "template.yaml", ROOT / ".aws-sam/build/template.yaml"),
        Stack(f"{name}-watching", watching, watching),
    ]


def deploy(name: str, given: Mapping[str, str], sam: Sequence[str]) -> None:
    """Deploy the stacks.

    Args:
        given: Parameters by name.
        sam: The command of the SAM CLI, which deploys one template.

    Raises:
        DeploymentRefused: The name or a parameter is wrong; nothing was deployed.
        CalledProcessError: A stack could not be deployed. The later ones were not touched.
    """
    ordered = stacks(name)
    if unknown := set(given) - set().union(*(stack.parameters() for stack in ordered)):
        raise DeploymentRefused(f"no stack has the parameter {', '.join(sorted(unknown))}")
    known = _outputs_before(ordered[-1].name) | {"Release": str(int(time.time()))} | given
    if restored := given.get("RestoredEvents"):
        known["RestoredEventsStream"] = prepare_restored(restored)
    for stack in ordered:
        print(f"deploying {stack.name} ...", file=sys.stderr)
        own = {name: known[name] for name in stack.parameters() & set(known)}
        _deploy_one(stack, own, sam)
        known.update(_outputs(stack.name))
        if stack.template.name == "state.yaml":
            _protect(stack.name)


def prepare_restored(table: str) -> str:
    """Give a restored table what a restore leaves out: the stream, backups, and protection from deletion.

    Returns:
        The ARN of its stream.
    """
    dynamodb = boto3.client("dynamodb")
    described = dynamodb.describe_table(TableName=table)["Table"]
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        stream = {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
        dynamodb.update_table(TableName=table, StreamSpecification=stream)
        _wait_until_active(dynamodb, table)
    if not described.get("DeletionProtectionEnabled"):
        dynamodb.update_table(TableName=table, DeletionProtectionEnabled=True)
        _wait_until_active(dynamodb, table)
    dynamodb.update_continuous_backups(
        TableName=table, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    arn: str = dynamodb.describe_table(TableName=table)["Table"]["LatestStreamArn"]
    return arn


def _wait_until_active(dynamodb: Any, table: str) -> None:
    deadline = time.monotonic() + ENABLED_WITHIN_S
    while dynamodb.describe_table(TableName=table)["Table"]["TableStatus"] != "ACTIVE":
        if time.monotonic() > deadline:
            raise DeploymentRefused(f"the table {table} is not active after {ENABLED_WITHIN_S:.0f} s")
        time.sleep(2)


def _deploy_one(stack: Stack, parameters: Mapping[str, str], sam: Sequence[str]) -> None:
    overrides = [f'{key}="{value}"' for key, value in parameters.items()]
    command = [
        *(*sam, "deploy", "--stack-name", stack.name, "--template-file", str(stack.deployed)),
        *("--config-file", str(ROOT / "samconfig.toml"), "--no-fail-on-empty-changeset"),
        *(["--parameter-overrides", *overrides] if overrides else []),
    ]
    subprocess.run(command, cwd=ROOT, check=True)


def _outputs_before(stack: str) -> dict[str, str]:
    """Return the outputs of the last deployment; none before the first one."""
    try:
        return _outputs(stack)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        return {}


def _outputs(stack: str) -> dict[str, str]:
    (described,) = boto3.client("cloudformation").describe_stacks(StackName=stack)["Stacks"]
    return {output["OutputKey"]: output["OutputValue"] for output in described.get("Outputs", ())}


def _protect(stack: str) -> None:
    """Have CloudFormation refuse to replace or delete a resource of the stack, and to delete the stack."""
    cloudformation = boto3.client("cloudformation")
    cloudformation.set_stack_policy(StackName=stack, StackPolicyBody=STATE_POLICY.read_text())
    cloudformation.update_termination_protection(StackName=stack, EnableTerminationProtection=True)


def _parameter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or '"' in value:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VALUE without quotes")
    return name, value


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("--stack", required=True, help="the engine's stack; the others have names that begin with it")
    parser.add_argument("--sam", type=shlex.split, default=["sam"], help="the command of the SAM CLI")
    parser.add_argument("parameters", nargs="*", type=_parameter, metavar="NAME=VALUE", help="parameters of the stacks")
    options = parser.parse_args(arguments)
    try:
        deploy(options.stack, dict(options.parameters), options.sam)
    except DeploymentRefused as refused:
        print(f"make deploy: {refused}", file=sys.stderr)
        return 2
    except subprocess.CalledProcessError as failed:
        return failed.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
