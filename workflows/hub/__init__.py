"""One thread that runs everything of an engine: see ``hub``."""
