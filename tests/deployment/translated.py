"""The template in CloudFormation's own language: stands in until tests/template has it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from tests.deployment.deployer import ARTIFACTS, CODE
from tests.deployment.emulator import REPOSITORY


def translated(template: Path) -> dict[str, Any]:
    """As SAM translates it."""
    python = REPOSITORY / ".tools/sam/bin/python"
    script = Path(__file__).with_name("translate.py")
    done = subprocess.run([python, script, template, ARTIFACTS, CODE], stdout=subprocess.PIPE, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return found
