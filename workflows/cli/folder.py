"""Runs an engine on a folder, or reads the folder beside the engine that runs on it."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from workflows.cli.failures import CommandFailed, CommandRefused, InvalidInput
from workflows.cli.inputs import existing_folder

if TYPE_CHECKING:
    from datetime import timedelta

    from workflows.embedded.engine import EmbeddedEngine
    from workflows.embedded.providers import OpenGateways
    from workflows.embedded.step_functions.reports import Reports
    from workflows.event_store.event_log import EventLog
    from workflows.sandbox.opening import Sandbox
    from workflows.sandbox.settings import SandboxSettings
    from workflows.sqlite.database import Database

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
"""Beside the packages."""

ADDRESS = "address"
"""A file in the folder with the URL of the engine that runs on it, for the commands that are given ``--data``.

It also holds its own inode number, so that it is ignored in a copy of the folder: the engine does not run there.
"""


@contextmanager
def running_engine(
    data: Path,
    parameters: Mapping[str, str],
    port: int,
    *,
    erased_keys: Path | None = None,
    checkpoints: Path | None = None,
    archive_after: timedelta | None = None,
) -> Iterator[tuple[EmbeddedEngine, str]]:
    """Run an engine on the folder that serves HTTP, and yield it with its URL. Raises InvalidInput."""
    import apsw

    from workflows.boundary.private_files import SecretUnusable
    from workflows.breakers.settings import read_breakers
    from workflows.embedded.engine import EmbeddedEngine
    from workflows.embedded.garbage import collect_rarely
    from workflows.embedded.http.server import PortTaken
    from workflows.embedded.providers import ProvidersUnusable
    from workflows.embedded.restoring import FolderIsBackup
    from workflows.embedded.template import ParameterUnknown, TemplateInvalid
    from workflows.sandbox.settings import read_sandbox
    from workflows.settings import SettingsRefused, read
    from workflows.sqlite.database import DatabaseForeign, DatabaseInUse, DatabaseUnavailable
    from workflows.upkeep.order_metrics import OrderMetrics

    unusable = (
        DatabaseForeign,
        DatabaseInUse,
        FolderIsBackup,
        ParameterUnknown,
        ProvidersUnusable,
        SecretUnusable,
        SettingsRefused,
        TemplateInvalid,
    )
    try:
        sandbox, breakers = read(os.environ, lambda reader: (read_sandbox(reader), read_breakers(reader)))
        opened = EmbeddedEngine.open(
            data,
            template=TEMPLATE,
            parameters=parameters,
            gateways=_gateways(data, parameters, sandbox),
            breakers=breakers,
            erased_keys=erased_keys,
            checkpoints=checkpoints,
            archive_after=archive_after,
        )
    except unusable as error:
        raise InvalidInput(str(error)) from None
    except (apsw.Error, DatabaseUnavailable, OSError, MemoryError, RuntimeError) as error:
        raise cannot_open(data, error, "an engine's data") from error
    with opened as engine:
        try:
            url = f"http://127.0.0.1:{engine.serve(port, metrics=[OrderMetrics(engine.ports)])}"
            address = _write_address(data, url)
        except PortTaken as taken:
            raise InvalidInput(f"{taken}, e.g. --port 0 for a free one") from None
        except (apsw.Error, DatabaseUnavailable, OSError, MemoryError, RuntimeError) as error:
            raise cannot_open(data, error, "an engine's data") from error
        collect_rarely()
        try:
            yield engine, url
        finally:
            with suppress(OSError):  # the folder became read-only; an address where no engine answers is harmless
                address.unlink(missing_ok=True)


def _gateways(data: Path, parameters: Mapping[str, str], sandbox: SandboxSettings) -> OpenGateways:
    """Choose the providers of an engine: the real ones that the parameters name, or else the sandbox.

    A folder stays with one kind, because its orders hold receipts that the other kind does not know.
    """
    from workflows.embedded.files import DATABASE
    from workflows.embedded.providers import CREDENTIALS, ProvidersUnusable, http_gateways
    from workflows.sandbox.opening import SANDBOX, sandbox_gateways

    real = http_gateways(parameters)
    if real is not None and (data / SANDBOX).exists():
        raise ProvidersUnusable(f"{data} holds orders of the sandbox; choose another folder for real providers")
    if real is None and (data / CREDENTIALS).exists():
        raise ProvidersUnusable(
            f"{data / CREDENTIALS} is for real providers; give PaymentsUrl, KitchenUrl and CouriersUrl by --parameter, "
            "or choose another folder for the sandbox"
        )
    if real is not None:
        return real
    if (data / SANDBOX).exists():
        _check_history(data / DATABASE, data / SANDBOX)
    return sandbox_gateways(sandbox)


def _check_history(log: Path, ledgers: Path) -> None:
    """Refuse an engine on a log that lacks what the sandbox was asked to do. Raises InvalidInput."""
    from workflows.sandbox.lost_history import orders_without_history

    orders = orders_without_history(log, ledgers)
    if orders:
        raise InvalidInput(
            f"{log} lacks events of {len(orders)} orders that {ledgers.name} knows, e.g. {orders[0]}: it was deleted, "
            "replaced or restored alone; restore the whole folder from one backup, or choose another folder"
        )


def address_of(data: Path) -> str | None:
    """Return the URL of the engine that runs on the folder, or None if no engine left one."""
    with suppress(OSError, ValueError), open(existing_folder(data) / ADDRESS, encoding="ascii") as file:
        url, inode = file.read().split()
        if int(inode) == os.fstat(file.fileno()).st_ino:
            return url
    return None


def _write_address(data: Path, url: str) -> Path:
    new = data / f"{ADDRESS}.new"
    new.unlink(missing_ok=True)
    with open(new, "x", encoding="ascii") as file:
        file.write(f"{url}\n{os.fstat(file.fileno()).st_ino}\n")
    return new.replace(data / ADDRESS)


@contextmanager
def open_log(data: Path) -> Iterator[EventLog]:
    """Open the event log for reading. Raises InvalidInput."""
    from workflows.clock import SystemClock
    from workflows.engine import EVENT_TYPES
    from workflows.event_store.codec import Codec
    from workflows.sqlite.event_log import SqliteEventLog
    from workflows.sqlite.keyring import SqliteKeyRing

    with open_database(data) as database:
        yield SqliteEventLog(database, Codec(SqliteKeyRing(database), EVENT_TYPES), SystemClock())


@contextmanager
def open_reports(data: Path) -> Iterator[Reports]:
    """Open the reports of executions (states entered, status) for reading. Raises InvalidInput."""
    from workflows.embedded.step_functions.journal import Journal
    from workflows.embedded.step_functions.reports import Reports
    from workflows.embedded.step_functions.running import Definitions

    with open_database(data) as database:
        journal = Journal(database)
        yield Reports(journal, Definitions(journal))


@contextmanager
def open_ledgers(data: Path) -> Iterator[Sandbox]:
    """Open the ledgers of the simulated providers for reading."""
    from random import Random

    from workflows.clock import SystemClock
    from workflows.sandbox.counterparty import Surroundings
    from workflows.sandbox.opening import SANDBOX, open_sandbox
    from workflows.sandbox.settings import SandboxSettings

    surroundings = Surroundings(clock=SystemClock(), random=Random(0))  # reading calls nothing, so no number is drawn
    with closing(open_sandbox(data / SANDBOX, SandboxSettings(), surroundings, read_only=True)) as sandbox:
        yield sandbox


@contextmanager
def open_database(data: Path) -> Iterator[Database]:
    """Open the engine's database for reading. Raises InvalidInput, CommandRefused."""
    import apsw

    from workflows.embedded.files import DATABASE
    from workflows.sqlite.database import Database

    try:
        with Database(existing_folder(data) / DATABASE, read_only=True) as database:
            yield database
    except (FileNotFoundError, apsw.NotADBError, apsw.CantOpenError, apsw.SQLError) as error:
        raise InvalidInput(f"{data} is not the folder of an engine: {error}") from None
    except apsw.CorruptError as error:
        raise damaged(data, error) from None


def cannot_open(data: Path, error: BaseException, what: str) -> CommandFailed:
    """Return why a folder cannot be used: one line for every error that a disk or a limit of the machine can cause.

    Raises:
        RuntimeError: It is a bug, because it is none of those errors.
    """
    import apsw

    from workflows.sqlite.database import DatabaseBroken

    if isinstance(error, DatabaseBroken) and error.__cause__ is not None:
        error = error.__cause__
    match error:
        case apsw.CorruptError() | apsw.NotADBError():
            return damaged(data, error)
        case apsw.FullError():
            return InvalidInput(f"{data} cannot hold {what}: the disk is full")
        case apsw.NoMemError() | MemoryError():
            return InvalidInput(f"{data} cannot be opened: there is not enough memory; see ulimit -v")
        case apsw.Error():
            return InvalidInput(f"{data} cannot hold {what}: {error}")
        case OSError():
            return InvalidInput(f"{data} cannot hold {what}: {error.strerror}")
        case RuntimeError() if "start new thread" in str(error):
            return InvalidInput(f"{data} cannot be opened: no more threads can be started; see ulimit -u and -v")
    raise error


def damaged(data: Path, error: Exception) -> CommandRefused:
    """Return the error for a database that SQLite cannot read: cut, overwritten, or copied while it was written."""
    return CommandRefused(f"{data} is damaged: {error}; restore it from a backup")
