"""Live updates: every commit reaches its subscribers within a second, in order, without gaps or duplicates.

The log calls ``Subscriptions.on_commit`` with each durable commit. ``subscriptions`` reads the order again, finds
its subscribers with ``topics``, checks with the permissions of the reads what each may see, and sends ``messages``.
``tickets`` lets a socket in, ``requests`` reads what a subscriber sends, ``positions`` keeps where couriers are.
This room does not depend on sockets: the embedded engine's front is ``workflows/embedded/http/live.py``.
"""
