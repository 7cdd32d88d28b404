"""From recorded games on disk to batches."""
