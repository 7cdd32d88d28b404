"""The commands of `python -m training`.

Knows their names and what they print. The work is done elsewhere; torch is imported by need.
"""

import json
import math
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict

from goengine import machine
from goengine.evaluators.base import EvaluatorError
from goengine.nets.safetensors_file import WeightsError
from goengine.options import parse_command
from goengine.patterns.policy import PolicyError
from goengine.progress import Progress
from goengine.records import RecordError
from goengine.stopping import told_to_stop
from goengine.tables import short, table
from goengine.zero.run_folder import RunFolderError
from training import launch
from training.checkpoint import RunError
from training.options import Bench, Distill, Evaluate, Grow, Looped, Pack, Quantize, Rollout, Ship, Supervised, Together
from training.policy_options import Reinforce, Value
from training.zero_options import Rate, Zero

DESCRIPTION = "Train a net on recorded games: pack them, train, measure, ship. COMMAND --help lists a command's options."


def run_pack(config: Pack) -> int:
    """Pack, and say what became of the games."""
    from training import packs

    with Progress(f"pack {config.out.name}") as bar:
        count = 0

        def say(text: str) -> None:
            nonlocal count
            count += 1
            bar.update(count, text)

        report = packs.pack(config.sources, config.out, owners=config.owners, say=say)
    sys.stderr.write(
        f"{config.out}: {report.games} games, {report.positions} positions, {report.counted} counted, "
        f"{report.owned} with owners, "
        f"{report.left_out} left out{' (first: ' + report.first_error + ')' if report.first_error else ''}\n"
    )
    return 0


def run_evaluate(config: Evaluate) -> int:
    """Measure, and print a line per figure or one JSON object on stdout."""
    import numpy as np

    from goengine import features
    from goengine.evaluators.load import load
    from goengine.evaluators.symmetric import Symmetric
    from training import evaluate, packs, reliability
    from training.phases import Remembering, phases

    evaluator = load(config.net, size=None, device=config.device, precision=config.precision, threads=config.threads)
    if config.symmetries > 1:
        evaluator = Symmetric(evaluator, np.random.default_rng(config.seed), config.symmetries)
    chosen = features.get(evaluator.features)
    rows, by_phase, tables = {}, {}, []
    for size, games in packs.by_size(packs.load_any(config.games)).items():
        predict = Remembering(evaluate.from_evaluator(evaluator))
        sampler, count = evaluate.as_played(games, chosen, config.positions, config.seed)
        rows[size] = evaluate.measure_with(predict, sampler, count, config.batch)
        by_phase[size] = phases(sampler, predict.values()) if config.phases else []
        tables.append(reliability.tables(sampler, predict.values()) if config.reliability else {})
    evaluator.close()
    total = evaluate.combine(list(rows.values())).as_dict()
    reliable = reliability.merged(tables)
    if config.reliability:
        reliability.picture(reliable, config.reliability, evaluator.name)
    if config.json:
        by_size = {str(size): figures.as_dict() for size, figures in rows.items()} if len(rows) > 1 else {}
        told = {str(size): [asdict(phase) for phase in found] for size, found in by_phase.items() if found}
        more = {**({"sizes": by_size} if by_size else {}), **({"phases": told} if told else {})}
        more |= {"reliability": reliability.for_card(reliable)} if reliable else {}
        sys.stdout.write(json.dumps({"net": evaluator.name, **finite(total), **more}) + "\n")
        return 0
    for name, value in total.items():
        sys.stdout.write(f"{name:14} {value:.4f}\n" if isinstance(value, float) else f"{name:14} {value}\n")
    for size, found in by_phase.items():
        if not found:
            continue
        lines = [(phase.name, phase.positions, f"{phase.value_mse:.3f}", f"{phase.value_right:.3f}") for phase in found]
        sys.stdout.write("\n" + table(lines, header=(f"{size}x{size}", "positions", "value_mse", "value_right")))
    for name, tenths in reliable.items():
        lines = [(f"{b.low:.1f}-{b.high:.1f}", b.positions, f"{b.predicted:.3f}", f"{b.actual:.3f}") for b in tenths]
        sys.stdout.write("\n" + table(lines, header=(name, "positions", "predicted", "actual")))
    return 0


def finite(values: dict) -> dict:
    """NaN as None: JSON has no NaN."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()}


def run_supervised(config: Supervised) -> int:
    """Train, and say how the run stands; SIGTERM and SIGINT save and end with 130."""
    began = time.monotonic()  # before torch is imported: the budget counts from here
    from training.stages import supervised

    return _say_how_it_stands(config, supervised(config, began))


def run_distill(config: Distill) -> int:
    """As `run_supervised`, with a teacher."""
    began = time.monotonic()
    from training.stages import distill

    return _say_how_it_stands(config, distill(config, began))


def run_together(config: Together) -> int:
    """As `run_supervised`, with students."""
    began = time.monotonic()
    from training.together import together

    return _say_how_it_stands(config, together(config, began))


def run_quantize(config: Quantize) -> int:
    """As `run_supervised`, with roundings."""
    began = time.monotonic()
    from training import quantizing

    return _say_how_it_stands(config, quantizing.run(config, began))


def run_rollout(config: Rollout) -> int:
    """Fit a linear policy, and say how the run stands."""
    from goengine.patterns.shipped import POLICY
    from training import pattern_stage

    complete = pattern_stage.run(config)
    stands = f"complete; its policy is {config.run / POLICY}" if complete else "saved; the same command goes on"
    sys.stderr.write(f"{config.run}: {stands}\n")
    return 0 if complete else 130


def run_reinforce(config: Reinforce) -> int:
    """As `run_supervised`, by games of the net itself."""
    began = time.monotonic()
    from training import reinforce

    return _say_how_it_stands(config, reinforce.run(config, began))


def run_value(config: Value) -> int:
    """As `run_supervised`, on games that are played first; they are not in the budget."""
    from training import value

    return _say_how_it_stands(config, value.run(config))


def run_zero(config: Zero) -> int:
    """As `run_supervised`, by self-play."""
    began = time.monotonic()
    from training import zero

    return _say_how_it_stands(config, zero.run(config, began))


def run_rate(config: Rate) -> int:
    """Rate nets until told to stop."""
    from training import zero

    with told_to_stop(attached=config.watch) as stop:
        zero.rate(config, stop)
    return 0


def _say_how_it_stands(config: Looped, complete: bool) -> int:
    if not launch.leads():
        return 0 if complete else 130
    net = config.run / ("learner/net.safetensors" if isinstance(config, Zero) else "net.safetensors")
    stands = f"complete; its net is {net}" if complete else "saved; the same command goes on"
    sys.stderr.write(f"{config.run}: {stands}\n")
    return 0 if complete else 130


def run_grow(config: Grow) -> int:
    """Grow, and say what came of it."""
    from goengine.nets import checkpoint, spec
    from training import growing

    old = checkpoint.load(config.weights)
    grown = growing.deepen(old, spec.preset(config.net, old.spec.features, old.spec.planes, old.spec.globals), config.seed)
    data = {**old.meta.data, "grown_from": old.meta.sha256}
    checkpoint.save(config.out, grown, grown.spec, step=old.meta.step, config=old.meta.config, data=data)
    sys.stderr.write(f"{config.out}: {len(old.spec.blocks)} blocks became {len(grown.spec.blocks)}\n")
    return 0


def run_ship(config: Ship) -> int:
    """Ship, and print what was measured."""
    from training import shipping

    sys.stdout.write(json.dumps(shipping.run(config), indent=1) + "\n")
    return 0


def run_bench(config: Bench) -> int:
    """Measure, and print a table or one JSON object on stdout."""
    from training import bench

    figures = []
    for figure in bench.measure(config):
        figures.append(figure)
        if sys.stderr.isatty():
            sys.stderr.write(f"{figure.part}: {short(figure.value)} {figure.unit}\n")
    here = machine.describe()
    if config.json:
        sys.stdout.write(json.dumps({"machine": asdict(here), "figures": [asdict(figure) for figure in figures]}) + "\n")
    else:
        rows = [(figure.part, f"{figure.size}x{figure.size}", short(figure.value), figure.unit) for figure in figures]
        sys.stdout.write(f"{here.processor}, {here.cores} cores; load {here.load:.1f}\n\n{table(rows)}")
    return 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    0: done; 1: it failed, and stderr says why; 2: wrong options; 130: stopped by a signal, go on with the same
    command.
    """
    commands = {
        "pack": (Pack, run_pack),
        "supervised": (Supervised, run_supervised),
        "distill": (Distill, run_distill),
        "together": (Together, run_together),
        "quantize": (Quantize, run_quantize),
        "rollout": (Rollout, run_rollout),
        "reinforce": (Reinforce, run_reinforce),
        "value": (Value, run_value),
        "zero": (Zero, run_zero),
        "rate": (Rate, run_rate),
        "evaluate": (Evaluate, run_evaluate),
        "grow": (Grow, run_grow),
        "ship": (Ship, run_ship),
        "bench": (Bench, run_bench),
    }
    name, config = parse_command(
        {key: kind for key, (kind, _) in commands.items()}, argv, prog="python -m training", description=DESCRIPTION
    )
    try:
        return commands[name][1](config)
    except (PolicyError, RecordError, RunError, RunFolderError, WeightsError, EvaluatorError) as error:
        reason = str(error)
    except OSError as error:
        place = error.filename2 or error.filename
        reason = (f"{place}: " if place else "") + (error.strerror or str(error))
    sys.stderr.write(f"python -m training {name}: {reason}\n")
    return 1
