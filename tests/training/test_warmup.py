"""`training.warmup`, which `goengine warmup` starts, leaves no kernel of the samples to be compiled."""

import os
import subprocess
import sys

import pytest

from goengine.commands import warmup as command
from training import warmup
from training.data import ownership, packs, sampling
from training.training_bench import random_pack
from training.zero import zero_sampling

# Those that Python calls, or the two kernels that are compiled at each start; the others are compiled within these.
OUTER = {
    packs: ("_expand", "_all_possible"),
    ownership: ("_final_owner",),
    sampling: ("position_of", "game_of", "replay", "varied_rules", "symmetry_of", "write_planes", "write_targets"),
    zero_sampling: ("find_horizon", "row_of", "write_policy", "mix_horizon"),
}


def test_every_kernel_of_the_samples_is_used(capsys):
    assert warmup.main() == 0 and capsys.readouterr().err == ""
    unused = [name for module, names in OUTER.items() for name in names if not getattr(module, name).signatures]
    assert unused == []


@pytest.mark.slow
def test_training_compiles_nothing_afterwards(tmp_path):
    """In an empty cache: what a run of `training supervised` compiles is the one kernel that cannot be kept."""
    environment = {**os.environ, "GOENGINE_CACHE": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-m", "training.warmup"], env=environment, check=True)
    random_pack(9).save(tmp_path / "games.npz")
    options = [f"--data={tmp_path / 'games.npz'}", f"--run={tmp_path / 'run'}", "--steps=1", "--batch=4", "--net=b4c32"]
    code = (
        "import sys; from goengine.core.compiling import watching; from training.cli import main; names = []\n"
        "with watching(names.append): status = main(sys.argv[1:])\n"
        "print(status, names)"
    )
    command = [sys.executable, "-c", code, "supervised", *options, "--device=cpu"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 ['fill']"


def test_it_needs_no_torch():
    code = "import sys; from training import warmup; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_command_says_what_it_could_not_compile(capsys):
    command._elsewhere([sys.executable, "-c", "raise SystemExit('no room')"], "the making of training samples")
    assert capsys.readouterr().err == "goengine warmup: the making of training samples was not compiled: no room\n"
    assert [what for what, _ in command.STEPS][-1] == "training"
