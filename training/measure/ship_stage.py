"""From a run's weights to a shipped net: float16 and OpenVINO forms, int8 where it is asked for, and the measured card.

Knows which figures a card holds and how they come about. Int8 steps come from training games, or from a net that was
trained with its roundings; figures come from held-out games. Does not train, and does not choose the net.
"""

import dataclasses
import tempfile
from collections.abc import Callable, Mapping, Set
from pathlib import Path, PureWindowsPath

import numpy as np

from goengine import features
from goengine.evaluators import shipped_nets
from goengine.evaluators.load import load
from goengine.nets import card, quantize, ship, weights_file
from goengine.nets.build import Net
from training.core.checkpoint import RunError
from training.core.command_options import ShipOptions
from training.data import packs
from training.data.sampling import Draw, Games
from training.data.stream import net_inputs
from training.measure import calibration_curve, evaluate
from training.measure.phases import RecordingEvaluator

AGREEMENT = 4000  # positions on which the forms are compared with the net in float32
PICTURE = "reliability.svg"
FIGURES = ("top1", "top5", "cross_entropy", "value_mse", "score_error")


def run(config: ShipOptions) -> dict[str, object]:
    """Write the folder of the net, measure its forms on held-out games, and write the card. Returns the card's results.

    Raises RunError as `int8_form` does.
    """
    games = packs.load((config.games,))
    source = weights_file.load(config.weights)
    config = dataclasses.replace(config, proven=tuple(head for head in config.proven if head in source.spec.outputs))
    folder = place(config)
    with tempfile.TemporaryDirectory() as temporary:
        clean = Path(temporary) / ship.NET
        meta = source.meta
        weights_file.save(
            clean,
            source.arrays,
            source.spec,
            step=meta.step,
            config=without_folders(meta.config),
            data=without_folders(meta.data),
        )
        ship.ship(clean, folder, results(config, {}), int8_form(config, source))
    measured: dict[str, object] = {}
    reference = said(folder, games, "f32", config)
    for precision in ("bf16", "int8"):
        if precision == "int8" and f"{config.name}-int8.xml" not in card.read(folder).files:
            continue
        agreed = agreement(said(folder, games, precision, config), reference, source.spec.outputs)
        found = figures(folder, games, precision, config) | agreed
        for key, value in found.items():
            measured[key if precision == "bf16" else f"{key}_int8"] = value
    ship.write_card(folder, results(config, measured))
    return measured


def place(config: ShipOptions) -> Path:
    """The folder of the net: in the folder of the options, else in the user's own."""
    return (shipped_nets.user_folder() if config.folder is None else config.folder) / config.name


def int8_form(
    config: ShipOptions, source: weights_file.Checkpoint
) -> Callable[[Net, weights_file.Meta], tuple[Net, weights_file.Meta]] | None:
    """What `ship.ship` makes the int8 form with, as the options say. Raises RunError if --int8 belongs to another net."""
    if config.int8:
        net, meta = quantize.from_file(config.int8)
        if meta.data.get("quantized_from") != source.meta.sha256:
            raise RunError(f"--int8 {config.int8}: was not made from {config.weights}; run the command quantize on that net")
        return lambda *_: (net, meta)
    if not config.calibration_games:
        return None
    games = packs.load_sizes((config.calibration_games,))

    def calibrated(net: Net, meta: weights_file.Meta) -> tuple[Net, weights_file.Meta]:
        prepared = quantize.prepare(net)
        draw = Draw(config.seed, symmetries=1, shuffle=1, vary=0.5)
        quantize.calibrate(prepared, net_inputs(games, features.get(source.spec.features), draw, config.calibration))
        return prepared.eval(), meta

    return calibrated


def figures(folder: Path, games: Games, precision: str, config: ShipOptions) -> dict[str, object]:
    """What one form of the net reaches on held-out positions."""
    with load(folder, device="cpu", precision=precision, threads=config.threads) as evaluator:
        predict = RecordingEvaluator(evaluate.from_evaluator(evaluator))
        sampler, count = evaluate.as_played(games, features.get(evaluator.features), config.positions, config.seed)
        found = evaluate.measure_with(predict, sampler, count, 64)
    values, outputs = found.as_dict(), card.read(folder).spec.outputs
    told = {name: round(float(values[name]), 4) for name in FIGURES if name in evaluate.metrics_for(outputs)}
    if "value" not in outputs:
        return {"positions": found.positions, **told}
    tables = calibration_curve.tables(sampler, predict.values())
    if precision == "bf16":
        calibration_curve.picture(tables, folder / PICTURE, config.name)
    return {"positions": found.positions, **told, "reliability": calibration_curve.for_card(tables)}


def said(folder: Path, games: Games, precision: str, config: ShipOptions) -> tuple[np.ndarray, np.ndarray]:
    """(best moves, values) of one form of the net on the same few held-out positions."""
    with load(folder, device="cpu", precision=precision, threads=config.threads) as evaluator:
        predict, count = evaluate.from_evaluator(evaluator), min(AGREEMENT, config.positions)
        sampler, count = evaluate.as_played(games, features.get(evaluator.features), count, config.seed)
        batches = (sampler.batch(first, min(64, count - first)) for first in range(0, count, 64))
        found = [predict(batch.planes, batch.globals) for batch in batches]
    return np.concatenate([part.policy.argmax(1) for part in found]), np.concatenate([part.value for part in found])


def agreement(
    form: tuple[np.ndarray, np.ndarray], reference: tuple[np.ndarray, np.ndarray], outputs: Set[str]
) -> dict[str, object]:
    """How often a form keeps the reference's best move, and how far its win rate is off, on average and at most.

    Of what the net tells.
    """
    off = np.abs(form[1] - reference[1]) / 2
    told = {"same_move": round(float((form[0] == reference[0]).mean()), 4)} if "policy" in outputs else {}
    if "value" in outputs:
        told |= {"win_rate_off": round(float(off.mean()), 4), "win_rate_off_most": round(float(off.max()), 4)}
    return told


def results(config: ShipOptions, measured: Mapping[str, object]) -> dict[str, object]:
    """The card's results."""
    return {
        "description": config.description,
        "command": config.command,
        "strength": config.strength,
        "proven": list(config.proven),
        "sizes": list(config.sizes),
        "rank": config.rank,
        "form": config.form,
        **measured,
    }


def without_folders(value: object) -> object:
    """A configuration whose paths keep only their names: a card names what was used, not its folder."""
    if isinstance(value, Mapping):
        return {key: without_folders(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_folders(entry) for entry in value]
    if isinstance(value, str) and ("/" in value or "\\" in value):
        return PureWindowsPath(value).name  # which knows both separators
    return value
