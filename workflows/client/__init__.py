"""A client of the HTTP API. It is also distributed alone, as ``expediter_client``, so it imports nothing else."""

from .async_client import AsyncExpediterClient
from .client import ExpediterClient
from .errors import ApiProblem, EngineUnreachable, InvalidBearerToken

__all__ = ["ApiProblem", "AsyncExpediterClient", "EngineUnreachable", "ExpediterClient", "InvalidBearerToken"]
