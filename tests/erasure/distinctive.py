"""A customer whose texts nothing else in an engine contains, so that a search of every byte finds what is left."""

from __future__ import annotations

from typing import Final

CONTACT: Final = {
    "name": "Zacharina Quillfeather",
    "phone": "+49 30 987654321",
    "address": "Schwanenwerder 77b",
    "note": "beware of the otter",
    "email": "zq@quillfeather.example",
}

PERSONAL: Final = ("Zacharina", "Quillfeather", "quillfeather", "987654321", "Schwanenwerder", "otter")
"""Parts of the contact that are searched for."""
