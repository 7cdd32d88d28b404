"""What self-play and training share: settings of self-play, shards of samples, the folder of a run.

The two never import each other; they meet in these files (`selfplay_params`, `shards`, `run_folder`).
"""
