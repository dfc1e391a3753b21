"""The log level: ``--log-level`` of ``expediter up`` on one machine, the parameter LogLevel on AWS."""

from __future__ import annotations

import importlib
import json
import logging
import signal
from pathlib import Path

import pytest

from tests.template.translated import REPOSITORY
from workflows.cli.engine_commands import LogLevel
from workflows.cli.main import run
from workflows.embedded.log_lines import write_log_lines
from workflows.embedded.template import read_template

HANDLERS = {function.handler for function in read_template(REPOSITORY / "template.yaml").functions.values()}


@pytest.fixture(autouse=True)
def _process_as_before():
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    signals = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    for number, handler in signals.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("lowest", list(LogLevel))
def test_only_log_lines_of_the_chosen_level_or_above_are_written(lowest, capsys):
    """Every value that the option accepts is a level of logging, and each line is one JSON object."""
    write_log_lines(logging.getLevelNamesMapping()[lowest.upper()])
    log = logging.getLogger("workflows.test_of_log_levels")
    for level in LogLevel:
        log.log(logging.getLevelNamesMapping()[level.upper()], "a line")
    written = [json.loads(line)["level"] for line in capsys.readouterr().err.splitlines()]
    assert written == list(LogLevel)[list(LogLevel).index(lowest) :]


@pytest.mark.parametrize("level", list(LogLevel))
def test_the_option_of_up_reaches_the_loggers(level: LogLevel, tmp_path: Path, capsys):
    """It applies before the engine opens, so that a start that fails is logged at that level too."""
    code = run(["up", "--data", str(tmp_path), "--log-level", level, "--parameter", "NoSuchParameter=1"])
    assert (code, "NoSuchParameter" in capsys.readouterr().err) == (2, True)
    assert logging.getLogger("workflows.upkeep.watchdog").getEffectiveLevel() == getattr(logging, level.upper())


@pytest.mark.parametrize("level", [logging.DEBUG, logging.INFO])
def test_the_level_of_a_function_reaches_its_loggers(level: int):
    """Lambda's runtime sets the level of the root logger from LogLevel; no module of ours sets another one."""
    logging.getLogger().setLevel(level)
    for handler in HANDLERS:
        importlib.import_module(handler.rpartition(".")[0])
    loggers = [logging.getLogger(name) for name in logging.root.manager.loggerDict]
    ours = [logger for logger in loggers if logger.name.partition(".")[0] in {"handlers", "workflows"}]
    assert {"handlers.feed", "workflows.upkeep.watchdog"} <= {logger.name for logger in ours}
    assert {logger.name: logger.getEffectiveLevel() for logger in ours} == {logger.name: level for logger in ours}
    assert all(logger.propagate for logger in ours)
