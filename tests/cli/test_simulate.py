"""``expediter simulate`` shows its progress on a terminal, and nothing of it in a file or a pipe."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from typing import Any

COMMAND = [sys.executable, "-m", "workflows.cli", "simulate", "--seeds", "1"]


def read_to_the_end(terminal: int) -> str:
    """Read what a process prints on its terminal, until the process closes it."""
    printed = b""
    while True:
        try:
            printed += os.read(terminal, 65536)
        except OSError:  # Linux: the process closed its end
            return printed.decode()


def test_the_worlds_are_counted_on_a_terminal() -> None:
    """A run of thousands of worlds takes minutes."""
    terminal, its_end = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(
        COMMAND, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=its_end, env=environment
    ) as process:
        os.close(its_end)
        shown = read_to_the_end(terminal)
        os.close(terminal)
    assert process.returncode == 0
    assert "0 of 1 worlds ..." in shown
    assert re.search(r"\x1b\[\?25h", shown), "the cursor is shown again at the end"


def test_a_pipe_gets_no_progress(process: Any) -> None:
    """Only the result is printed, without control characters."""
    ended = process("simulate", "--seeds", "1")
    assert ended.returncode == 0, ended.stderr
    assert "of 1 worlds" not in ended.stdout + ended.stderr
    assert "\x1b" not in ended.stdout + ended.stderr
