"""Games of a net against itself, from which it learns.

    python -m selfplay worker --run RUN      plays with the newest net of a run folder and writes shards there
    python -m selfplay sgf SHARD --out DIR   a shard's games for people

Start reading at `selfplay.worker` (files and nets), then `selfplay.lockstep` (many games at once) and `selfplay.kernels`
(what happens inside a game). Learning is `training`'s: the two meet only on disk, in the folder that
`goengine.zero.run_folder` describes.
"""
