"""`python -m assistant` is the command `xiaozhi`."""

from assistant.cli import main

main()
