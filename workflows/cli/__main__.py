"""``python -m workflows.cli``: the command, where the script is not on the path."""

from workflows.cli.main import main

main()
