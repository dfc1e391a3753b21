"""The flags every benchmark takes."""

from __future__ import annotations

import argparse
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Options:
    """``quick``: small counts, for development; its figures are shown and not kept."""

    quick: bool
    json: bool

    def size(self, full: int, quick: int) -> int:
        return quick if self.quick else full


def options(what: str | None) -> Options:
    """Read the command line. ``what`` is the benchmark's docstring."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # what it started is stopped, whichever way it ends
    parser = argparse.ArgumentParser(description=what, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small counts; the results are shown and not kept")
    parser.add_argument("--json", action="store_true", help="JSON on stdout, and nothing else")
    read = parser.parse_args()
    return Options(quick=read.quick, json=read.json)
