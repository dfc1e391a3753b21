"""Processes that read a log for a command end with it."""

from __future__ import annotations

import subprocess
import sys

_COMMAND = """
import time
from workflows.event_store.worker_processes import worker_pool
pool = worker_pool(1)
pool.submit(int).result()
print("begun", flush=True)
time.sleep(600)
"""


def test_the_workers_of_a_command_that_is_killed_end_too():
    """A rebuild that was killed would leave a process for each core, with the log open. They hold its stdout too."""
    with subprocess.Popen([sys.executable, "-c", _COMMAND], stdout=subprocess.PIPE, text=True) as command:
        assert command.stdout is not None
        assert command.stdout.readline() == "begun\n"
        command.kill()
        assert command.communicate(timeout=60)[0] == ""
