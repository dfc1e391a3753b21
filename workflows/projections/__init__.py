"""Read models: each is computed from the log, and can be deleted and built again."""
