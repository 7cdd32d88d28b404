"""Serve the engine over the Go Text Protocol on stdin and stdout: what a Go client starts. Needs no argument; see --help."""

import sys

from goengine.gtp import main

if __name__ == "__main__":
    sys.exit(main())
