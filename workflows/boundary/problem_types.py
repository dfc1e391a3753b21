"""The ``type`` of a problem document (RFC 9457), over HTTP and in live updates."""

from __future__ import annotations

PROBLEM_URN = "urn:expediter:problem:"
"""Followed by the class name of the refusal."""
