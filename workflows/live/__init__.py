"""Live updates: every commit reaches its subscribers within a second, in order, without gaps or duplicates.

The log calls ``Subscriptions.on_commit`` with each durable commit. ``subscriptions`` reads the order again, checks
with ``topics`` which subscribers it concerns and with the permissions of the reads what each may see, and sends
``messages``.
``tickets`` lets a socket in, ``requests`` reads what a subscriber sends, ``positions`` keeps where couriers are.
Nothing here knows a socket: the embedded engine's front is ``workflows/embedded/http/live.py``.
"""
