"""`python -m listener` is the command `listener`."""

from listener.cli import main

main()
