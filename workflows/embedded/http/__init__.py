"""The HTTP front of the embedded engine: Amazon API Gateway (an HTTP API with a JWT authorizer), on one machine.

A request takes this way: ``server`` (a thread with uvicorn's loop), ``connections`` (time limits), ``api`` (the token,
the route), ``payload_format`` (the event of Lambda), and ``Functions.invoke``, which runs it on the hub's thread. The
result comes back through ``from_hub`` after the function has returned, and a function returns only once its writes are
durable (see ``workflows.hub.hub``); so nothing here has to wait for a disk. ``live`` serves sockets and long polls,
``tokens`` stands for Cognito, ``probes`` serves health and metrics.
"""
