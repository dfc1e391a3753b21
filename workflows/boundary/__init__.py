"""What crosses the edge of the process: JSON that others wrote, and files with secrets."""
