"""What the commands of `python -m training` that learn do and print. The work is done elsewhere; torch is imported by need."""

import sys
import time

from goengine.core.stopping import told_to_stop
from goengine.core.tables import table
from goengine.zero import run_folder
from training.core import launch
from training.core.command_options import (
    CodistillOptions,
    DistillOptions,
    LoopedOptions,
    QuantizeOptions,
    RolloutOptions,
    SupervisedOptions,
)
from training.core.owner_options import OwnersOptions
from training.core.rank_options import RankedOptions
from training.core.worker_options import JoinOptions
from training.laboratory.compare_options import CompareOptions
from training.laboratory.lessons_options import LessonsOptions
from training.laboratory.prune_options import PruneOptions
from training.stages.policy_options import ReinforceOptions, ValueOptions
from training.zero.zero_options import Rate, ZeroOptions

NOTHING_LEARNED = (
    "the run ended before there were enough games to learn from; the same command with a longer --budget goes on, "
    "and --window or --first-rows let it begin with fewer"
)


def run_supervised(config: SupervisedOptions) -> int:
    """Train, and say how the run stands; SIGTERM and SIGINT save and end with 130."""
    began = time.monotonic()  # before torch is imported: the budget counts from here
    from training.stages.supervised import supervised

    return _say_how_it_stands(config, supervised(config, began))


def run_distill(config: DistillOptions) -> int:
    """As `run_supervised`, with a teacher."""
    began = time.monotonic()
    from training.stages.supervised import distill

    return _say_how_it_stands(config, distill(config, began))


def run_codistill(config: CodistillOptions) -> int:
    """As `run_supervised`, with students."""
    began = time.monotonic()
    from training.stages.codistill import codistill

    return _say_how_it_stands(config, codistill(config, began))


def run_quantize(config: QuantizeOptions) -> int:
    """As `run_supervised`, with roundings."""
    began = time.monotonic()
    from training.stages import quantize_stage

    return _say_how_it_stands(config, quantize_stage.run(config, began))


def run_owners(config: OwnersOptions) -> int:
    """As `run_supervised`, a head on a finished trunk."""
    began = time.monotonic()
    from training.stages import owners

    return _say_how_it_stands(config, owners.run(config, began))


def run_ranked(config: RankedOptions) -> int:
    """As `run_supervised`, with the ranks of both players."""
    began = time.monotonic()
    from training.stages import ranked

    return _say_how_it_stands(config, ranked.run(config, began))


def run_prune(config: PruneOptions) -> int:
    """Cut and train, and print the table of what came of it, or say that the run stands still."""
    from training.laboratory import prune

    return _tell(config, prune.tables(config))


def run_lessons(config: LessonsOptions) -> int:
    """Train in each way, and print the table, or say that the run stands still."""
    from training.laboratory import lessons

    results = lessons.run(config)
    return _tell(config, None if results is None else table(lessons.rows(results), header=lessons.HEADER))


def _tell(config: LoopedOptions, tables: str | None) -> int:
    """Print the tables of a run that is complete; None: it was stopped."""
    sys.stdout.write(tables or "")
    if tables is None:
        sys.stderr.write(f"{config.run}: saved; the same command goes on\n")
    return 130 if tables is None else 0


def run_rollout(config: RolloutOptions) -> int:
    """Fit a linear policy, and say how the run stands."""
    from goengine.patterns.shipped_policies import POLICY
    from training.stages import patterns

    complete = patterns.run(config)
    stands = f"complete; its policy is {config.run / POLICY}" if complete else "saved; the same command goes on"
    sys.stderr.write(f"{config.run}: {stands}\n")
    return 0 if complete else 130


def run_reinforce(config: ReinforceOptions) -> int:
    """As `run_supervised`, by games of the net itself."""
    began = time.monotonic()
    from training.stages import reinforce

    return _say_how_it_stands(config, reinforce.run(config, began))


def run_value(config: ValueOptions) -> int:
    """As `run_supervised`, on games that are played first; they are not in the budget."""
    from training.stages import value

    return _say_how_it_stands(config, value.run(config))


def run_zero(config: ZeroOptions) -> int:
    """As `run_supervised`, by self-play."""
    began = time.monotonic()
    from training.zero import zero_run

    return _say_how_it_stands(config, zero_run.run(config, began))


def run_rate(config: Rate) -> int:
    """Rate nets until told to stop."""
    from training.zero import zero_run

    with told_to_stop(attached=config.watch) as stop:
        zero_run.rate(config, stop)
    return 0


def run_join(config: JoinOptions) -> int:
    """Bring workers to a run until it ends."""
    from training.parallel import cluster

    cluster.join(config)
    return 0


def run_compare(config: CompareOptions) -> int:
    """Compare, and print the table; SIGTERM and SIGINT save and end with 130."""
    from training.laboratory import compare

    complete = compare.run(config)
    if not complete:
        sys.stderr.write(f"{config.run}: saved; the same command goes on\n")
    return 0 if complete else 130


def _say_how_it_stands(config: LoopedOptions, complete: bool) -> int:
    if not launch.leads():
        return 0 if complete else 130
    if (
        isinstance(config, ZeroOptions)
        and complete
        and (newest := run_folder.newest(config.run)) is not None
        and not newest.step
    ):
        sys.stderr.write(f"{config.run}: nothing was learned: {NOTHING_LEARNED}\n")
        return 1
    net = config.run / ("learner/net.safetensors" if isinstance(config, ZeroOptions) else "net.safetensors")
    stands = f"complete; its net is {net}" if complete else "saved; the same command goes on"
    sys.stderr.write(f"{config.run}: {stands}\n")
    return 0 if complete else 130
