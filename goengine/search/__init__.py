"""Tree search. Start with `params` (every constant and its source), then `tree` (the layout), `select`, `backup`, `search`.

One tree serves every generation of the engine: they differ by `SearchParams`, not by code. Nothing here imports torch.
"""
