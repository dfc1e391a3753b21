"""Blind indexes: a phone, an e-mail or a word of a name can be looked up in a view without being stored there.

A blind index is an HMAC-SHA-256 of the normalised text under a key of the deployment. Only a reader that has the key
can compute it, so the table alone neither reveals the text nor lets a list of phone numbers be tried against it. It is
computed from the log and is empty once the customer's data key was destroyed. Equal words of a name have equal indexes,
so the table shows how often each word occurs.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from hashlib import sha256
from typing import Final

from domain.personal import Contact, Erased

KEY_BYTES: Final = 32

_PHONE_DIGITS = 9
"""A number is compared by its last nine digits, so that 0171 2345678 finds +49 171 2345678."""

_NAME_WORDS_MAX = 6
"""Each has a column. Of a longer name those with the lowest indexes, which are the same for the same name."""

_INDEX_HEX = 32
"""128 bits: no two texts of one deployment meet by chance."""

NAME_COLUMNS: Final = tuple(f"name_index_{number}" for number in range(1, _NAME_WORDS_MAX + 1))
"""The columns of the words of a name; the last ones are NULL if it has fewer."""

COLUMNS: Final = ("phone_index", "email_index", *NAME_COLUMNS)
"""The columns of an order's row that hold blind indexes."""


class BlindIndex:
    """Computes the blind indexes of one deployment."""

    def __init__(self, key: bytes) -> None:
        """``key``: ``KEY_BYTES`` random bytes. Under another key nothing is found until the view is rebuilt."""
        if len(key) != KEY_BYTES:
            raise ValueError(f"the key of the blind indexes has {KEY_BYTES} bytes")
        self._key = key

    @property
    def fingerprint(self) -> str:
        """A short text that differs from that of every other key, and does not reveal this one."""
        return hmac.new(self._key, b"fingerprint", sha256).hexdigest()[:16]

    def phone(self, text: str) -> str | None:
        """Return the index of a phone number; None if it has no digit."""
        return self._index("phone", re.sub(r"[^0-9]", "", text)[-_PHONE_DIGITS:])

    def email(self, text: str) -> str | None:
        """Return the index of an e-mail address, in any case; None if it is empty."""
        return self._index("email", text.strip().casefold())

    def name(self, text: str) -> tuple[str, ...]:
        """Return the indexes of the words of a name, whatever their case, accents and order; none if it is empty.

        Words of one letter are skipped: they are initials, and would find every tenth customer. A name that has no
        other words is indexed as a whole. They are in the order of the indexes, which tells nothing of the words.
        """
        letters = unicodedata.normalize("NFKD", text.casefold())
        words = re.findall(r"\w+", "".join(each for each in letters if not unicodedata.combining(each)))
        long = {word for word in words if len(word) > 1}
        found = [self._index("word", word) for word in long] if long else [self._index("name", " ".join(sorted(words)))]
        return tuple(sorted(index for index in found if index is not None)[:_NAME_WORDS_MAX])

    def of(self, contact: Contact | Erased) -> dict[str, str | None]:
        """Return the columns of an order, those of ``COLUMNS``; all are None for an erased customer."""
        columns: dict[str, str | None] = dict.fromkeys(COLUMNS)
        if not isinstance(contact, Erased):
            columns |= {"phone_index": self.phone(contact.phone), "email_index": self.email(contact.email)}
            columns |= dict(zip(NAME_COLUMNS, self.name(contact.name), strict=False))
        return columns

    def _index(self, kind: str, text: str) -> str | None:
        if not text:
            return None
        return hmac.new(self._key, f"{kind}:{text}".encode(), sha256).hexdigest()[:_INDEX_HEX]
