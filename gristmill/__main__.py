"""`python -m gristmill`, also under torchrun."""

from gristmill.cli import main

# The checkpoint writer starts processes that import this module again: they must not run the command.
if __name__ == "__main__":
    main()
