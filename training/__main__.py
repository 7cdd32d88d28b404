"""`python -m training COMMAND`: the training commands. `--help` after a command lists its options."""

import sys

from training.cli import main

sys.exit(main())
