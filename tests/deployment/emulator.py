"""MiniStack, the AWS emulator, as a process of the tests: on a free port of 127.0.0.1, in a folder of its own.

IAM is enforced (``AUTH=true``): calls that a role does not allow are refused. Neither Docker nor the network is used.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
import urllib.request
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from types import TracebackType

REPOSITORY = Path(__file__).parents[2]
PROGRAM = REPOSITORY / ".tools/ministack/bin/ministack"
REGION = "us-east-1"
READY_WITHIN_S = 30.0
STOPS_WITHIN_S = 5.0

IDLE_S = 20
"""After so long without a call the second and further environments of a function end."""

UNPACKED_AFTER_S = 10.0
"""The archive that an environment has unpacked is deleted after so long: it is as large as what was in it."""


def available() -> bool:
    """Whether an emulator is installed by ``make tools``, or already runs."""
    return PROGRAM.exists() or bool(os.environ.get("AWS_ENDPOINT_URL"))


def free_port() -> int:
    """Find a port on which no process listens now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def emulator(folder: Path, scratch: Path) -> AbstractContextManager[str]:
    """Run MiniStack and yield its URL, or yield ``AWS_ENDPOINT_URL`` if it names a running emulator.

    Its functions must reach 127.0.0.1 of this machine, where the providers and Step Functions are.
    """
    running = os.environ.get("AWS_ENDPOINT_URL")
    return nullcontext(running) if running else MiniStack(folder, scratch)


class MiniStack:
    """A process that runs until the end of the ``with`` block."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        """``scratch`` is the folder into which it unpacks the code, for each environment of a function."""
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._log = (folder / "ministack.log").open("wb")
        self._scratch = scratch
        self._ended = threading.Event()
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "TMPDIR": str(scratch),
            "STATE_DIR": str(folder / "state"),
            "S3_DATA_DIR": str(folder / "s3"),
            "BIND_HOST": "127.0.0.1",
            "MINISTACK_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(self._port),
            "MINISTACK_REGION": REGION,
            "LOG_LEVEL": "WARNING",
            "AUTH": "true",
            "LAMBDA_EXECUTOR": "local",
            "LAMBDA_WARM_TTL_SECONDS": str(IDLE_S),
            "SFN_WAIT_SCALE": "0",  # its own executions only show that starting them is allowed
            "DOCKER_HOST": "unix:///nowhere",
            "IOT_MTLS_ENABLED": "0",  # both would listen on every interface
            "SFTP_ENABLED": "0",
        }

    def __enter__(self) -> str:
        """Return its URL, once it answers."""
        self._process = subprocess.Popen(
            [PROGRAM], env=self._environment, stdout=self._log, stderr=self._log, start_new_session=True
        )
        threading.Thread(target=self._delete_unpacked, name="unpacked", daemon=True).start()
        deadline = time.monotonic() + READY_WITHIN_S
        while not self._answers():
            assert self._process.poll() is None, f"MiniStack ended at once; see {self._log.name}"
            assert time.monotonic() < deadline, f"MiniStack is not ready after {READY_WITHIN_S} s; see {self._log.name}"
        return self.url

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()
        with suppress(ProcessLookupError):  # a session of its own, with the emulator and its functions
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._log.close()

    def _delete_unpacked(self) -> None:
        while not self._ended.wait(UNPACKED_AFTER_S / 5):
            for archive in self._scratch.glob("*/code.zip"):
                with suppress(FileNotFoundError):  # its environment has ended meanwhile
                    if time.time() - archive.stat().st_mtime > UNPACKED_AFTER_S:
                        archive.unlink()

    def _answers(self) -> bool:
        """Ask once whether it answers. If not, wait a moment for the process to end."""
        try:
            with urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=READY_WITHIN_S):
                return True
        except OSError:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
            return False
