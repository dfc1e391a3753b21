"""Read models: each a fold of the log that can be thrown away and made again."""
