"""Training of nets: packed games in, checkpoints out.

Start with `data`, then `loop`, then `stages`; `python -m training` lists the
commands.
"""
