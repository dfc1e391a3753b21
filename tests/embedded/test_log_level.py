"""The log level: ``--log-level`` of ``expediter up`` on one machine, the parameter LogLevel on AWS."""

from __future__ import annotations

import json
import logging

import pytest

from workflows.cli.engine_commands import LogLevel
from workflows.embedded.log_lines import write_log_lines


@pytest.fixture(autouse=True)
def _logging_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.mark.parametrize("lowest", list(LogLevel))
def test_only_log_lines_of_the_chosen_level_or_above_are_written(lowest, capsys):
    """Every value that the option accepts is a level of logging, and each line is one JSON object."""
    write_log_lines(logging.getLevelNamesMapping()[lowest.upper()])
    log = logging.getLogger("workflows.test_of_log_levels")
    for level in LogLevel:
        log.log(logging.getLevelNamesMapping()[level.upper()], "a line")
    written = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert written == list(LogLevel)[list(LogLevel).index(lowest) :]
