"""ARNs of functions, machines and executions, in the form of AWS, so that handlers and definitions work unchanged.

Region and account are made up: ``local`` and ``000000000000``.
"""

from __future__ import annotations

import re

REGION = "local"
ACCOUNT = "000000000000"

NAME = re.compile(r"[^\s<>{}\[\]?*\"#%\\^|~`$&,;:/\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]{1,80}")
"""The rule for names of executions and machines, which are parts of ARNs."""

_STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
_LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


def function_arn(function: str) -> str:
    """Return a function's ARN: ``SagaStep`` -> ``arn:aws:lambda:local:000000000000:function:SagaStep``."""
    return f"{_LAMBDA}:{function}"


def machine_arn(machine: str) -> str:
    """Return a machine's ARN: ``OrderMachine`` -> ``arn:aws:states:local:000000000000:stateMachine:OrderMachine``."""
    return f"{_STATES}:stateMachine:{machine}"


def qualified_machine_arn(machine: str, qualifier: int | str) -> str:
    """Return the ARN of a version (by its number) or an alias of a machine."""
    return f"{machine_arn(machine)}:{qualifier}"


def resource_arn(kind: str, name: str) -> str:
    """Return the ARN of a resource that does not exist here: ``arn:aws:kms:local:000000000000:Mine``."""
    return f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{name}"


def execution_arn(machine: str, name: str) -> str:
    """Return an execution's ARN, ``...:execution:OrderMachine:<name>``. A name is used once, for ever."""
    return f"{_STATES}:execution:{machine}:{name}"


def express_arn(machine: str, name: str, start: str) -> str:
    """Return the ARN of an Express execution.

    Its name need not be unique; ``start``, a new id, makes the ARN unique.
    """
    return f"{_STATES}:express:{machine}:{name}:{start}"
