"""The HTTP front of the embedded engine: Amazon API Gateway (an HTTP API with a JWT authorizer), on one machine.

``server`` owns the socket, ``api`` routes requests to functions, ``payload_format`` translates between HTTP and Lambda
events, ``tokens`` stands for Cognito, ``probes`` serves health and metrics.
"""
