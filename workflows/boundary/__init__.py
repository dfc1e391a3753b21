"""What crosses the edge of the process: JSON that others wrote, files with secrets, and processes that it starts."""
