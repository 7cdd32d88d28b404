"""Learning by several processes: nets that they hold together, and workers that push gradients to a server."""
