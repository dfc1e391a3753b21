"""Text as searches compare it: without case, accents and characters that cannot be seen."""

from __future__ import annotations

import unicodedata


def searchable(text: str) -> str:
    """Return a text in the form that is stored for searches, and in which they ask: ``Café  ÉTÉ`` is ``cafe ete``.

    It is made here and not in SQL, because SQLite and PostgreSQL fold letters differently.
    """
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    kept = (each for each in letters if not unicodedata.combining(each) and (each.isprintable() or each.isspace()))
    return " ".join("".join(kept).split())
