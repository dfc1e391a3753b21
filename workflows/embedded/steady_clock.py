"""The engine's clock: it does not jump, so that a wrong wall clock does not end the waits of orders.

Within a process it follows the machine's steady clock, which also counts while the machine is suspended. A wall clock
that differs from it is logged as a jump, and approached slowly: the clock runs at most 5% fast or slow until both
agree. So a wall clock that is five hours ahead for six seconds moves it by 0.3 s, and one that stays ahead makes a wait
of ten minutes end 30 s early.

After a restart it continues from where the last process left it, plus the time that has passed since, if the machine
was not booted meanwhile. After a boot, or on another machine, it begins with the wall clock, but never before the time
it had.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Self

log = logging.getLogger(__name__)

SLEW = 0.05
"""Fast or slow by this share, at most, while the clock approaches the wall clock."""

JUMP_S = 1.0
"""A larger difference is a jump. Time servers correct smaller ones all the time."""

SAVE_EVERY_S = 30.0
"""After a kill the clock may be behind where it was by the slew of this time: 1.5 s."""

_FILE = "clock.json"


_BOOTTIME = getattr(time, "CLOCK_BOOTTIME", None)


def _steady_s() -> float:
    """Seconds since the boot, with the time that the machine was suspended where the platform counts it."""
    return time.monotonic() if _BOOTTIME is None else time.clock_gettime(_BOOTTIME)


def _boot() -> str:
    """The id of the machine's boot; empty where the platform has none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


class SteadyClock:
    """A ``Clock``. Threads may share it."""

    def __init__(
        self,
        *,
        begins_s: float | None = None,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = _steady_s,
    ) -> None:
        """Begin at ``begins_s`` (Unix time), or else with the wall clock."""
        self._wall_s = wall_s
        self._steady_s = steady_s
        self._gate = threading.Lock()
        self._read_s = steady_s()
        self._time_s = wall_s() if begins_s is None else begins_s
        self._is_apart = False

    @classmethod
    def of(
        cls,
        folder: Path,
        *,
        wall_s: Callable[[], float] = time.time,
        steady_s: Callable[[], float] = _steady_s,
        boot: str | None = None,
    ) -> Self:
        """Continue the clock that ``save`` left in an engine's folder, or begin with the wall clock."""
        begins_s = wall_s()
        try:
            saved = json.loads((folder / _FILE).read_text(encoding="ascii"))
            saved_s, since_boot_s, saved_boot = float(saved["time"]), float(saved["since_boot"]), str(saved["boot"])
            datetime.fromtimestamp(saved_s + max(0.0, steady_s() - since_boot_s), UTC)  # raises for other numbers
        except (OSError, ValueError, KeyError, TypeError, OverflowError):
            pass  # the folder is new, or the file is not what save() writes
        else:
            passed_s = steady_s() - since_boot_s
            if saved_boot and saved_boot == (_boot() if boot is None else boot) and passed_s >= 0:
                begins_s = saved_s + passed_s
            else:
                begins_s = max(begins_s, saved_s)
        return cls(begins_s=begins_s, wall_s=wall_s, steady_s=steady_s)

    def now(self) -> datetime:
        """Return the time, never earlier than before."""
        with self._gate:
            self._read()
            return datetime.fromtimestamp(self._time_s, UTC)

    def save(self, folder: Path, *, boot: str | None = None) -> None:
        """Write where the clock is, for ``of``.

        It is not synced: without the file, the next one begins with the wall.
        """
        with self._gate:
            self._read()
            saved = {"time": self._time_s, "since_boot": self._read_s, "boot": _boot() if boot is None else boot}
        new = folder / f"{_FILE}.new"
        try:
            new.write_text(json.dumps(saved), encoding="ascii")
            new.replace(folder / _FILE)
        except OSError as error:
            log.info("the clock was not saved: %s", error)  # a full disk is reported by what needs it

    def _read(self) -> None:
        steady_s = self._steady_s()
        passed_s = steady_s - self._read_s if steady_s > self._read_s else 0.0
        self._read_s = steady_s
        apart_s = self._wall_s() - (self._time_s + passed_s)
        slew_s = SLEW * passed_s
        if -slew_s <= apart_s <= slew_s < JUMP_S / 2 and not self._is_apart:  # nearly always
            self._time_s += passed_s + apart_s
            return
        self._time_s += passed_s + max(-slew_s, min(slew_s, apart_s))
        if abs(apart_s) > JUMP_S and not self._is_apart:
            log.warning("the wall clock jumped; the engine's clock approaches it slowly", extra={"apart_s": apart_s})
            self._is_apart = True
        elif abs(apart_s) < JUMP_S / 2:
            self._is_apart = False
