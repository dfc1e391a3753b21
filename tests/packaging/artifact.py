"""The artifact of ``sam build``, made with the wheels for this machine's interpreter."""

from __future__ import annotations

import fcntl
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
SHARED = REPOSITORY / "build" / "here"

CALL = """
import importlib, json, sys
folder, handler, event = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
sys.path.insert(0, folder)
module, _, function = handler.rpartition(".")
called = getattr(importlib.import_module(module), function)
answer = error = None
try:
    answer = called(event, None)
except Exception as raised:
    error = f"{type(raised).__name__}: {raised}"
from_elsewhere = [loaded.__file__ for loaded in sys.modules.values()
    if getattr(loaded, "__file__", None) and not loaded.__file__.startswith((folder, *sys.path[1:]))]
print(json.dumps({"answer": answer, "error": error, "imported": sorted(sys.modules), "elsewhere": from_elsewhere}))
"""


def build(folder: Path) -> Path:
    """Build a function's artifact into ``folder``. The parts that all functions share are built once."""
    SHARED.mkdir(parents=True, exist_ok=True)
    with (SHARED / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # one test process builds it, the others wait
        made = ["make", "--silent", f"ARTIFACTS_DIR={folder}", f"PACKAGE={SHARED.relative_to(REPOSITORY)}"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
        subprocess.run([*made, "build-SagaStep"], cwd=REPOSITORY, check=True, env=environment)
    return folder


def call(artifact: Path, handler: str, event: Any, environment: Mapping[str, str]) -> dict[str, Any]:
    """Import and call a handler in a new interpreter that has only the standard library and the artifact."""
    python = Path(sys.base_prefix) / "bin" / f"python3.{sys.version_info.minor}"
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", CALL, artifact, handler, json.dumps(event)],
        env=dict(environment),
        cwd="/",
        stdout=subprocess.PIPE,
        check=True,
        timeout=60,
    )
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
