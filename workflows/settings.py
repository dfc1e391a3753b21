"""Environment variables, read once into frozen settings. One error names every variable that is missing or wrong.

A group of settings is a frozen value and the function that reads it, e.g. ``read_budgets`` in ``time_budgets.py``: each
room describes its own variables. Only entry points hold the environment: a function on AWS, the embedded engine for the
function that it invokes, and the command line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar, cast

from domain.money import Money, parse_amounts
from domain.picklable import Picklable

T = TypeVar("T")


class SettingsRefused(Picklable, ValueError):
    """Environment variables are missing or wrong. The message names all of them."""

    def __init__(self, missing: tuple[str, ...], wrong: Mapping[str, str]) -> None:
        sentences = [f"{name} {problem}" for name, problem in wrong.items()]
        if missing:
            sentences.insert(0, f"{', '.join(missing)} must be set")
        super().__init__("; ".join(sentences))
        self.missing = missing
        self.wrong = dict(wrong)


class Reader:
    """Reads variables and collects their problems, so that one error can name all of them.

    A value that could not be read is a placeholder: call ``check`` before any value is used.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._missing: list[str] = []
        self._wrong: dict[str, str] = {}

    def text(self, name: str) -> str:
        """Return a variable that must be set and not be empty."""
        value = self._environment.get(name, "")
        if not value and name not in self._missing:
            self._missing.append(name)
        return value

    def parsed(self, name: str, parse: Callable[[str], T], default: str | None = None) -> T:
        """Return a variable as ``parse`` reads it.

        Args:
            parse: Raises ValueError, whose text follows the variable's name: "is 'x': give a whole number".
            default: The text of an absent variable; without a default the variable must be set.
        """
        text = self.text(name) if default is None else self._environment.get(name, default)
        if name not in self._missing:
            try:
                return parse(text)
            except ValueError as problem:
                self.refuse(name, str(problem))
        return cast("T", None)

    def names(self, prefix: str) -> list[str]:
        """Return the variables whose name begins with the prefix, sorted."""
        return sorted(name for name in self._environment if name.startswith(prefix))

    def has_any(self, *names: str) -> bool:
        """Whether one of the variables is set and not empty."""
        return any(self._environment.get(name) for name in names)

    def refuse(self, name: str, problem: str) -> None:
        """Note what is wrong with a variable."""
        self._wrong.setdefault(name, problem)

    @property
    def has_problems(self) -> bool:
        return bool(self._missing or self._wrong)

    def check(self) -> None:
        """Raise SettingsRefused if a variable that was read is missing or wrong."""
        if self.has_problems:
            raise SettingsRefused(tuple(self._missing), self._wrong)


def amounts(text: str) -> dict[str, Money]:
    """Parse one amount a currency, for ``Reader.parsed``: ``100.00 EUR, 15000 JPY``. Raises ValueError."""
    try:
        return parse_amounts(text)
    except ValueError as error:
        raise ValueError(f"is {text!r}: give one amount a currency; {error}") from None


Group: TypeAlias = Callable[[Reader], T]
"""The function that reads a group of settings."""


def read(environment: Mapping[str, str], group: Group[T]) -> T:
    """Read one group of settings. Raises SettingsRefused."""
    reader = Reader(environment)
    settings = group(reader)
    reader.check()
    return settings


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreSettings:
    """The tables of the event log and of the documents. Every function has them."""

    events_table: str
    documents_table: str


def read_stores(reader: Reader) -> StoreSettings:
    return StoreSettings(events_table=reader.text("EVENTS_TABLE"), documents_table=reader.text("DOCUMENTS_TABLE"))


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """The table of data keys and the KMS key that wraps them."""

    keys_table: str
    customer_key: str


KEYS = ("KEYS_TABLE", "CUSTOMER_KEY")


def read_keys(reader: Reader) -> KeySettings:
    """Read the key settings. Without them personal fields would read as erased."""
    keys_table, customer_key = (reader.text(name) for name in KEYS)
    return KeySettings(keys_table=keys_table, customer_key=customer_key)


def read_order_machine(reader: Reader) -> str:
    """Read the name or ARN of the state machine that runs orders."""
    return reader.text("ORDER_MACHINE")


def read_views_secret(reader: Reader) -> str | None:
    """Read the ARN of a secret with the ``url`` of the views' database and the ``blind_index_key``.

    The key is 32 bytes in hexadecimal. Returns None for a deployment without views.
    """
    return reader.parsed("VIEWS_SECRET", str, default="") or None


PICTURES = "PICTURES_BUCKET"


def read_pictures_bucket(reader: Reader) -> str:
    """Read the name of the bucket of pictures."""
    return reader.text(PICTURES)


def read_archive_bucket(reader: Reader) -> str:
    """Read the name of the bucket of archived orders."""
    return reader.text("ARCHIVE_BUCKET")


def read_archive_after_days(reader: Reader) -> int:
    """Read for how many days an order must not have changed before it is archived; 0 for never."""
    return reader.parsed("ARCHIVE_AFTER_DAYS", int, default="0")


FAILED_BATCHES = "FAILED_BATCHES_BUCKET"


def read_failed_batches_bucket(reader: Reader) -> str:
    """Read the name of the bucket of failed batches."""
    return reader.text(FAILED_BATCHES)


EXPORTS = "EXPORTS_BUCKET"
EXPORT_MAKER = "EXPORT_MAKER"
MANIFEST_SIGNER = "MANIFEST_SIGNER"


def read_exports_bucket(reader: Reader) -> str:
    """Read the name of the bucket of exports."""
    return reader.text(EXPORTS)


def read_export_maker(reader: Reader) -> str:
    """Read the name of the function that makes exports."""
    return reader.text(EXPORT_MAKER)


def read_manifest_signer(reader: Reader) -> str:
    """Read the name of the function that signs manifests of exports."""
    return reader.text(MANIFEST_SIGNER)


CHECKPOINTS = "CHECKPOINTS_BUCKET"


def read_checkpoints_bucket(reader: Reader) -> str:
    """Read the name of the bucket of checkpoints."""
    return reader.text(CHECKPOINTS)


def read_checkpoint_key(reader: Reader) -> str:
    """Read the id of the key of KMS that signs checkpoints."""
    return reader.text("CHECKPOINT_KEY")


def read_event_bus(reader: Reader) -> str:
    """Read the name of the event bus that carries the events of orders."""
    return reader.text("EVENT_BUS")
