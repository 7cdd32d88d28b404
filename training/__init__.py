"""Training of nets: packed games in, checkpoints out.

Start with `data.stream`, then `core.loop`, then `stages.supervised`; `python -m training` lists the
commands.

On a machine with a GPU
-----------------------
Only torch, numpy and numba are needed there (and a C compiler, for torch's own: without one nets run uncompiled). The same
command uses the GPU; rehearse it first, on any machine, with a budget of a minute:

    python -m training codistill --data PACKS --validation PACK --run FOLDER --net b10c128 --students b8c96 --optimizer muon \\
        --rate 0.025 --batch 1024 --results 48 --budget 25m --validate-every 5m --save-every 2m

* The budget is wall time from the command's start to the end of the last checkpoint. What is compiled before the first step
  is over comes out of it, but does not move the learning rate. Killed or stopped, the same command goes on.
* `python -m training bench --net b8c96 --batch 1024` says beforehand whether samples keep up: "fed over fixed" near 1. One
  core makes 6,000 to 10,000 positions a second on 19x19; half of the cores make them (`--workers`), because a step is launched
  by one thread that must not wait for a core. Batches wait in page-locked memory, a byte a point, are copied while the GPU
  computes, and become bfloat16 there.
* A run that sees most positions sees a game's result a hundred times: `--results 48` teaches it with 48 positions of a game in
  a pass (what that is worth has not been measured). Compare `mse` of the log with `value_mse` of its measurements: a growing
  distance is learning by heart.
* Memory: 4 bytes a position for the games; beside it cores + 2 batches of 7 kB a position, and two or three on the GPU.
"""
