"""One thread that runs everything of an engine, and commits once a turn.

``hub`` runs tasks (code that waits without blocking the thread), timers and, as the last thing of each turn, the
transactions; ``deferred`` is what a task waits for; ``watch`` notices a call that holds the thread. The docstring of
``hub`` says when exactly an HTTP answer leaves, and why.
"""
