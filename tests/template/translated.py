"""The template as plain CloudFormation, for tests and linters that do not read SAM."""

from __future__ import annotations

import fcntl
import hashlib
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

LOCK = REPOSITORY / "tools" / "sam.lock"
"""The version of the translator."""

FOLDER = REPOSITORY / "build" / "translated"
"""Translations by the hash of what they are made from."""

STACKS = REPOSITORY / "stacks"
STATE, WATCHING = STACKS / "state.yaml", STACKS / "watching.yaml"


def state_outputs() -> dict[str, str]:
    """Make up a value for each output of the state that a deployment passes to a parameter of the engine."""
    outputs = re.findall(r"^  (\w+):", STATE.read_text().partition("\nOutputs:\n")[2], re.M)
    parameters = TEMPLATE.read_text().partition("\nParameters:\n")[2].partition("\n\n")[0]
    return {name: f"the-{name}" for name in outputs if re.search(rf"^  {name}:", parameters, re.M)}


def translated(template: Path = TEMPLATE, *, bucket: str = "code", key: str = "functions.zip") -> dict[str, Any]:
    """Translate a template. Definitions are inlined, and the functions' code is at ``bucket`` and ``key``."""
    plain: dict[str, Any] = json.loads(_translation(template, bucket, key))
    return plain


@cache
def _translation(template: Path, bucket: str, key: str) -> bytes:
    """Translate once for all test processes, which takes seconds, and again after a source has changed."""
    script = Path(__file__).with_name("translation.py")
    sources = [template, script, LOCK, *sorted((REPOSITORY / "statemachines").glob("*"))]
    content = hashlib.sha256(repr([bucket, key, *(source.read_bytes() for source in sources)]).encode()).hexdigest()
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{template.stem}-{content}.json"
    with (FOLDER / f"{template.stem}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the first process translates, the others wait for its result
        if not kept.exists():
            made = subprocess.run([PYTHON, script, template, bucket, key], stdout=subprocess.PIPE, check=True).stdout
            new = kept.with_suffix(".new")
            new.write_bytes(made)
            new.rename(kept)
    return kept.read_bytes()
