"""What every program here needs and what is not about Go: compiling kernels, files, command lines, progress, tables.

Knows nothing of Go and imports no other room.
"""
