"""The template as plain CloudFormation, for tests and linters that do not read SAM."""

from __future__ import annotations

import json
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
TEMPLATE = REPOSITORY / "template.yaml"

PYTHON = REPOSITORY / ".tools" / "sam" / "bin" / "python"
"""The SAM command line brings the translator, which wants other versions than ours: make tools."""


STACKS = REPOSITORY / "stacks"
STATE, WATCHING = STACKS / "state.yaml", STACKS / "watching.yaml"


def state_outputs() -> dict[str, str]:
    """Make up a value for each output of the state, which a deployment passes to the parameter of the same name."""
    outputs = STATE.read_text().partition("\nOutputs:\n")[2]
    return {name: f"the-{name}" for name in re.findall(r"^  (\w+):", outputs, re.M)}


def translated(template: Path = TEMPLATE, *, bucket: str = "code", key: str = "functions.zip") -> dict[str, Any]:
    """Translate a template. Definitions are inlined, and the functions' code is at ``bucket`` and ``key``."""
    plain: dict[str, Any] = json.loads(_translation(template, bucket, key))
    return plain


@cache
def _translation(template: Path, bucket: str, key: str) -> bytes:
    script = Path(__file__).with_name("translation.py")
    return subprocess.run([PYTHON, script, template, bucket, key], stdout=subprocess.PIPE, check=True).stdout
