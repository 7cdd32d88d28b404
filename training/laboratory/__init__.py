"""The laboratory: what architectures cost, what they learn from the same batches, and what that is worth in games."""
