"""Neural networks: their description, their building blocks, their files and their exported forms.

Knows tensors only: nothing of boards, rules or moves. PyTorch is imported by the modules that need it and not here, so that
a program which plays an exported net never pays for it. `spec`, `safetensors_file` and `checkpoint` work without PyTorch.
"""
