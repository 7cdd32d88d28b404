"""Serve the engine over the Go Text Protocol on stdin and stdout: what a Go client starts. Needs no argument; --help lists them."""

import sys

from goengine.gtp import main

if __name__ == "__main__":
    sys.exit(main())
