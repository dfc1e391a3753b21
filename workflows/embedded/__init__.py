"""An engine on one machine and in one folder: ``engine`` puts it together.

A request comes in through ``http`` and is run as a function by ``lambda_``, as a task of the hub. What it appends to
the log is taken up by ``lambda_.feed`` and by the machines of ``step_functions``. The projector writes the views of the
log in a process of its own: ``projector_process`` is the engine's side, ``projector_main`` the process. No answer and
no effect leaves before the commit that causes it is durable: see ``workflows.hub.hub``.
"""
