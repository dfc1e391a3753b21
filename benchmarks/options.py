"""The command line options of every benchmark."""

from __future__ import annotations

import argparse
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``quick`` means small counts for development, whose figures are shown and not stored."""

    quick: bool
    json: bool

    def size(self, full: int, quick: int) -> int:
        """Choose a count."""
        return quick if self.quick else full


def parser(description: str | None) -> argparse.ArgumentParser:
    """Make a parser of the options that every benchmark has, for one that has more."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that ``with`` blocks stop child processes
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--quick", action="store_true", help="small counts; the results are shown and not stored")
    made.add_argument("--json", action="store_true", help="print one JSON object and nothing else")
    return made


def options(description: str | None) -> Options:
    """Read the command line. ``description`` is the benchmark's docstring."""
    read = parser(description).parse_args()
    return Options(quick=read.quick, json=read.json)
