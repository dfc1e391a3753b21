"""Names of functions, machines and executions, shaped as on AWS so that code and definitions cannot tell.

Region and account say where we are: in one process, not on AWS.
"""

from __future__ import annotations

REGION = "local"
ACCOUNT = "000000000000"

_STATES = f"arn:aws:states:{REGION}:{ACCOUNT}"
_LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function"


def function_arn(function: str) -> str:
    """``SagaStep`` -> ``arn:aws:lambda:local:000000000000:function:SagaStep``."""
    return f"{_LAMBDA}:{function}"


def machine_arn(machine: str) -> str:
    """``OrderMachine`` -> ``arn:aws:states:local:000000000000:stateMachine:OrderMachine``."""
    return f"{_STATES}:stateMachine:{machine}"


def resource_arn(kind: str, name: str) -> str:
    """``AWS::KMS::Key``, ``Mine`` -> ``arn:aws:kms:local:000000000000:Mine``. Nothing answers to it here."""
    return f"arn:aws:{kind.split('::')[1].lower()}:{REGION}:{ACCOUNT}:{name}"


def execution_arn(machine: str, name: str) -> str:
    """``.../execution:OrderMachine:<name>``: one name, one execution, for ever."""
    return f"{_STATES}:execution:{machine}:{name}"


def express_arn(machine: str, name: str, start: str) -> str:
    """Express names need not be unique; the id of the start makes the ARN so."""
    return f"{_STATES}:express:{machine}:{name}:{start}"
