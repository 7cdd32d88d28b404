"""A game reviewed: what each move was worth, and the files that say so. `goengine review` is in `command`."""
