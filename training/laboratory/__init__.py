"""Experiments with nets: what is cut, rounded or compared, as tables beside what is published."""
