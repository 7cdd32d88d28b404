"""`python -m selfplay`."""

import sys

from selfplay.cli import main

if __name__ == "__main__":
    sys.exit(main())
