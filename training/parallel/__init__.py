"""Workers that push gradients to a server: who may, which of them count, and how that is run on a Ray cluster."""
