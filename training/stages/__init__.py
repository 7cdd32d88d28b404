"""The stages: what each one feeds the training loop, and what it writes."""
