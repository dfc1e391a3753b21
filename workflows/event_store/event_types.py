"""Readers and writers of each event type, compiled when the type is first read or written: a process meets few of them.

A type without personal fields is decoded directly from bytes into its dataclass. In a type with personal fields (their
annotation includes ``Erased``) each personal field is encrypted and decrypted on its own. An empty text is stored in
plain: it reveals nothing, and an event whose personal fields are all empty can be written without a key.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property, reduce
from operator import or_
from typing import Any, get_args, get_type_hints

import msgspec

from domain.personal import Erased
from workflows.event_store.keyring import DataKey
from workflows.event_store.personal_fields import ERASED, Vault, is_sealed
from workflows.event_store.upcasters import Data, Upcasters, check_upcasters

encode_json = msgspec.json.Encoder().encode
decode_json = msgspec.json.Decoder().decode


class NotStorable(TypeError):
    """The event would not be read back equal, so it is not written. A bug in this code. Retryable: no."""


class EventType:
    """One event class: its name, current schema, fields and readers.

    A type with personal fields is first decoded into ``_stored``: the same fields, with the personal ones encrypted.
    """

    def __init__(self, category: str, cls: type[Any]) -> None:
        self.category = category
        self.cls = cls
        self.name = cls.__name__
        self.schema: int = getattr(cls, "SCHEMA", 1)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The types of the fields. Raises TypeError if a field contains a personal field, which would not be sealed."""
        hints = get_type_hints(self.cls)
        fields = {field.name: hints[field.name] for field in dataclasses.fields(self.cls)}
        for name, hint in fields.items():
            if Erased not in get_args(hint) and _mentions_erased(hint, set()):
                raise TypeError(f"{self.name}.{name} contains a personal field: move that field into the event itself")
        return fields

    @cached_property
    def personal(self) -> dict[str, Any]:
        """The types of the personal fields that are not erased."""
        return {name: _without_erased(hint) for name, hint in self.fields.items() if Erased in get_args(hint)}

    @cached_property
    def _times(self) -> list[str]:
        return [name for name, hint in self.fields.items() if datetime in (hint, *get_args(hint))]

    @cached_property
    def _optional(self) -> list[str]:
        return [field.name for field in dataclasses.fields(self.cls) if _has_default(field)]

    @cached_property
    def _stored(self) -> type[Any]:
        return _as_stored(self) if self.personal else self.cls

    @cached_property
    def read(self) -> Callable[[msgspec.Raw], Any]:
        """Decodes data of the current schema: into an event, or, with personal fields, into ``_stored``."""
        return msgspec.json.Decoder(self._stored).decode

    @cached_property
    def _open(self) -> dict[str, Callable[[bytes | str], Any]]:
        return {name: msgspec.json.Decoder(hint).decode for name, hint in self.personal.items()}

    def write(self, event: Any, vault: Vault, key: DataKey | None) -> msgspec.Raw:
        """Encode an event. Raises NotStorable if it would not be read back equal, e.g. a field has the wrong type."""
        for name in self._times:
            time = getattr(event, name)
            if isinstance(time, datetime) and time.utcoffset() != timedelta(0):
                raise NotStorable(f"{self.name}.{name} is not in UTC")
        try:
            text = msgspec.Raw(encode_json(self._sealed(event, vault, key) if self.personal else event))
            again = self.read_sealed(text, vault.with_only(key))  # works even if the customer is erased meanwhile
        except NotStorable:
            raise
        except (TypeError, ValueError, OverflowError) as error:
            raise NotStorable(f"{self.name} could not be read back: {error}") from error
        changed = [name for name in self.fields if getattr(again, name) != getattr(event, name)]
        if changed:
            raise NotStorable(f"{self.name} would be read back with another {', '.join(changed)}")
        return text

    def seals(self, event: Any) -> bool:
        """Return whether a personal field is set, so that writing the event needs a key."""
        return any(_needs_sealing(getattr(event, name)) for name in self.personal)

    def read_sealed(self, text: msgspec.Raw, vault: Vault) -> Any:
        """Decode data of the current schema into an event and decrypt its personal fields."""
        return self._filled(self.read(text), vault)

    def build(self, data: Data, vault: Vault) -> Any:
        """Convert data that an upcaster returned into an event. Its personal fields are plain or ``Erased()``."""
        return self._filled(msgspec.convert(data, self._stored), vault)

    def _filled(self, stored: Any, vault: Vault) -> Any:
        if not self.personal:
            return stored
        values = msgspec.structs.asdict(stored)
        for name in self._optional:
            if values[name] is msgspec.UNSET:
                del values[name]
        for name in self.personal:
            if name in values:
                values[name] = self._opened(name, values[name], vault)
        return self.cls(**values)

    def _opened(self, name: str, value: Any, vault: Vault) -> Any:
        if is_sealed(value):
            text = vault.open(name, value)
            return text if isinstance(text, Erased) else self._open[name](text)
        return value if isinstance(value, Erased) else msgspec.convert(value, self.personal[name])

    def _sealed(self, event: Any, vault: Vault, key: DataKey | None) -> Data:
        data: Data = {}
        for name in self.fields:
            value = getattr(event, name)
            if name not in self.personal:
                data[name] = value
            elif not _needs_sealing(value):
                data[name] = ERASED if isinstance(value, Erased) else value
            elif key is None:
                raise NotStorable(f"{self.name}.{name} is personal, and the commit names no subject")
            else:
                data[name] = vault.seal(name, encode_json(value), key)
        return data


class EventTypes:
    """All event types, by class and by category and name, with the upcasters of their old schemas.

    The category is the first part of a stream's name (see ``streams``); a name is unique within its category.
    """

    def __init__(self, classes: Mapping[str, Iterable[type[Any]]], upcasters: Upcasters) -> None:
        """Check names and schemas.

        Args:
            classes: The event classes by category.

        Raises:
            TypeError: Two classes share a name within a category, or a class belongs to two categories.
            UpcastersIncomplete: An old schema has no upcaster, or an upcaster reads no old schema.
        """
        self.upcasters = upcasters
        kinds = [EventType(category, cls) for category, members in classes.items() for cls in members]
        self.by_class = {kind.cls: kind for kind in kinds}
        self.by_name = {(kind.category, kind.name): kind for kind in kinds}
        if len(self.by_name) != len(kinds):
            raise TypeError("two event classes of one category have the same name")
        if len(self.by_class) != len(kinds):
            raise TypeError("an event class belongs to two categories")
        check_upcasters(upcasters, {name: kind.schema for name, kind in self.by_name.items()})
        self.readers: dict[tuple[str, str, int], Callable[[msgspec.Raw], Any]] = {}
        """The readers of the types without personal fields that were read so far, by category, name and schema."""


def _needs_sealing(value: Any) -> bool:
    return value != "" and not isinstance(value, Erased)


def opened(data: Data, vault: Vault) -> Data:
    """Return the data with each encrypted field replaced by its plain value or ``Erased()``."""
    return {name: _opened(name, value, vault) for name, value in data.items()}


def _opened(name: str, value: Any, vault: Vault) -> Any:
    if not is_sealed(value):
        return value
    text = vault.open(name, value)
    return text if isinstance(text, Erased) else decode_json(text)


def _as_stored(kind: EventType) -> type[msgspec.Struct]:
    """Return a struct with the fields of the type: personal ones encrypted, those with a default optional."""
    fields: list[tuple[str, Any, Any] | tuple[str, Any]] = []
    for field in dataclasses.fields(kind.cls):
        hint: Any = Any if field.name in kind.personal else kind.fields[field.name]
        optional = (field.name, hint | msgspec.UnsetType, msgspec.UNSET)
        fields.append(optional if _has_default(field) else (field.name, hint))
    return msgspec.defstruct(f"Stored{kind.name}", fields, kw_only=True, frozen=True)


def _has_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _without_erased(hint: Any) -> Any:
    return reduce(or_, (arg for arg in get_args(hint) if arg is not Erased))


def _mentions_erased(hint: Any, seen: set[Any]) -> bool:
    if hint is Erased:
        return True
    if dataclasses.is_dataclass(hint) and hint not in seen:
        seen.add(hint)
        return any(_mentions_erased(inner, seen) for inner in get_type_hints(hint).values())
    return any(_mentions_erased(arg, seen) for arg in get_args(hint))
