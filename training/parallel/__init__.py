"""Nets that several processes hold together, and what that saves: strategies for the training loop."""
