"""One net in every number format: what each costs in size and what it wins in speed, and what it plays worse.

The forms are made by what makes shipped nets (`goengine.nets.export`, `quantize`) and `weight_bits`; games come from
`goengine.arena`. f64 is computed by torch (its poolings and linear layers in f32, as in every form), the others by OpenVINO.
A form that cannot be had here stays in the table, and a note says why.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch

from goengine import features
from goengine.arena.fixtures import GameSetup, Side
from goengine.arena.match import Match, run_match
from goengine.arena.net_match import play_in_process
from goengine.arena.openings import RANDOM, OpeningSource
from goengine.arena.players import NetPlayer, parse_player
from goengine.board.rules import Rules
from goengine.core.progress import Progress
from goengine.evaluators.base import EvaluatorError
from goengine.evaluators.load import load
from goengine.nets import export, fold, quantize, weights_file
from goengine.nets.build import Net, parameter_count
from training.core.checkpoint import RunError
from training.data import packs
from training.data.sampling import Draw, Games
from training.data.stream import Sampler, net_inputs
from training.laboratory import costs
from training.laboratory.forms_options import FormsOptions
from training.laboratory.weight_bits import store_kernels
from training.measure import evaluate
from training.measure.evaluate import Predict, Predictions

ASKED = 64
HEADER = (
    "form",
    "file, MB",
    "evaluations/s",
    "against f32",
    "same move",
    "win rate off",
    "most",
    "top-1",
    "Elo against f32",
)
# Some chance in the first moves, so that games differ.
_PLAYER = "leaves=1,batches=1,temperature=0.5,temperature_plies=8"


@dataclass
class Form:
    """A form and what was measured of it. path: OpenVINO's .xml, None for torch; problem: why it cannot be had here."""

    name: str
    path: Path | None
    precision: str = "f32"
    size: int = 0
    problem: str = ""
    told: dict[str, float | str] = field(default_factory=dict)


def run(config: FormsOptions) -> list[Form]:
    """All figures. Raises WeightsError, RecordError or RunError if a file cannot be used."""
    source = weights_file.load(config.weights)
    if quantize.KEY in source.meta.data:
        raise RunError(f"--weights {config.weights}: rounds already; give the net it was made from, and this one to --int8")
    games = packs.load((config.games,))
    config.out.mkdir(parents=True, exist_ok=True)
    forms = [made(name, source, config) for name in config.forms if name != "int8-trained" or config.int8]
    _compare(forms, source, games, config)
    _time(forms, source, int(games.size[0]), config)
    if config.match_games:
        for form in forms:
            if form.path and not form.problem and form.name != "f32":
                form.told["elo"] = _match(form, forms, int(games.size[0]), config)
    return forms


def made(name: str, source: weights_file.Checkpoint, config: FormsOptions) -> Form:
    """Write the files of a form. Raises RunError if --int8 belongs to another net."""
    net, meta = source.module(), source.meta
    if name == "f64":
        return Form(name, None, "f64", 8 * parameter_count(net))
    form = Form(name, config.out / f"{name}.xml", name if name in ("bf16", "f16") else "f32")
    assert form.path is not None
    if name == "int8":
        prepared = quantize.prepare(net)
        quantize.calibrate(prepared, _calibration(meta.spec.features, config))
        model, form.precision = export.int8_model(prepared.eval(), meta), "auto"
    elif name == "int8-trained":
        assert config.int8 is not None
        prepared, trained = quantize.from_file(config.int8)
        if trained.data.get("quantized_from") != meta.sha256:
            raise RunError(f"--int8 {config.int8}: was not made from {config.weights}; run the command quantize on that net")
        model, form.precision = export.int8_model(prepared, trained), "auto"
    else:
        model = export.openvino_model(net, meta)
        if name.endswith("-weights"):
            store_kernels(model, int(name[3]))
    export.save_openvino(model, form.path, compress=name != "f32")
    form.size = sum(form.path.with_suffix(suffix).stat().st_size for suffix in (".xml", ".bin"))
    return form


def _calibration(feature_set: str, config: FormsOptions) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    games = packs.load_sizes((config.calibration_games,))
    draw = Draw(config.seed, symmetries=1, shuffle=1, vary=0.5)
    return net_inputs(games, features.get(feature_set), draw, config.calibration)


def exactly(net: Net) -> Predict:
    """The net's answers with its convolutions in float64, by torch."""
    folded = fold.fold(net).double()

    def predict(planes: np.ndarray, values: np.ndarray) -> Predictions:
        with torch.inference_mode():
            out = folded(torch.from_numpy(planes).double(), torch.from_numpy(values).double(), True)
        value = torch.tanh(out.value.double() / 2)
        return Predictions(*(part.float().numpy() for part in (out.policy, value, out.score)))

    return predict


def _predictor(form: Form, net: Net) -> tuple[Predict, Callable[[], None]]:
    """(the form's answers, how to close it). Raises EvaluatorError where this CPU or OpenVINO cannot play it."""
    if form.path is None:
        return exactly(net), lambda: None
    evaluator = load(form.path, device="cpu", precision=form.precision, threads=1)
    return evaluate.from_evaluator(evaluator), evaluator.close


def _compare(forms: list[Form], source: weights_file.Checkpoint, games: Games, config: FormsOptions) -> None:
    """Same moves, values and top-1 of each form on the same positions; f32 is what they are compared with."""
    net = source.module()
    sampler, count = evaluate.as_played(games, features.get(source.spec.features), config.positions, config.seed)
    reference: Predictions | None = None
    for form in sorted(forms, key=lambda form: form.name != "f32"):
        try:
            predict, close = _predictor(form, net)
            answers, moves = _answers(predict, sampler, count)
            close()
        except EvaluatorError as error:
            form.problem = f"cannot be played here: {error}"
            continue
        reference = answers if reference is None else reference
        off = np.abs(answers.value - reference.value) / 2
        best = answers.policy.argmax(1)
        form.told |= {
            "same_move": float((best == reference.policy.argmax(1)).mean()),
            "win_rate_off": float(off.mean()),
            "win_rate_off_most": float(off.max()),
            "top1": float((best == moves).mean()),
        }


def _answers(predict: Predict, sampler: Sampler, count: int) -> tuple[Predictions, np.ndarray]:
    """(answers, moves played) for the first positions of a sampler."""
    parts, moves = [], []
    for first in range(0, count, ASKED):
        targets = sampler.batch(first, min(ASKED, count - first))
        parts.append(predict(targets.planes, targets.globals))
        moves.append(targets.policy.copy())
    return Predictions(*(np.concatenate(part) for part in zip(*parts, strict=True))), np.concatenate(moves)


def _time(forms: list[Form], source: weights_file.Checkpoint, size: int, config: FormsOptions) -> None:
    """Evaluations a second of each form on one core, the forms in turns."""
    given = costs.random_inputs(source.spec.features, size, config.batch)
    torch.set_num_threads(1)
    exact = exactly(source.module())
    computes = {"f64": lambda asked: exact(*asked)}
    playable = [form for form in forms if not form.problem]
    nets = [computes["f64"] if form.path is None else costs.compiled(form.path, form.precision) for form in playable]
    with Progress("forms", config.rounds) as bar:
        found = costs.rates(dict(enumerate(nets)), given, costs.Timing(config.rounds, config.seconds), bar.update)
    base = next(max(part) for form, part in zip(playable, found.values(), strict=True) if form.name == "f32")
    for form, part in zip(playable, found.values(), strict=True):
        form.told |= {"evaluations_per_second": max(part), "against_f32": max(part) / base}
    for form, net in zip(playable, nets, strict=True):
        if form.precision in ("bf16", "f16") and (used := _computed_in(net)) != form.precision:
            form.problem = f"this CPU has no fast {form.precision}: OpenVINO computed in {used}"


def _computed_in(net: Any) -> str:
    """The number format that OpenVINO chose."""
    told = str(net.get_property("INFERENCE_PRECISION_HINT").to_string())
    return {"float": "f32", "f32": "f32", "bfloat16": "bf16", "float16": "f16"}.get(told, told)


def _match(form: Form, forms: list[Form], size: int, config: FormsOptions) -> str:
    """Elo of a form against f32 with its interval; games that were played before are not played again."""
    base = next(other for other in forms if other.name == "f32")
    params = parse_player("uniform", _PLAYER)
    assert isinstance(params, NetPlayer)
    pair: dict[Side, Form] = {"a": form, "b": base}
    players = {side: NetPlayer(part.name, params.params, config.match_visits) for side, part in pair.items()}
    terms = GameSetup(size, Rules.preset("chinese").with_komi(7.5 if size > 7 else 9.5))
    names: dict[Side, str] = {side: part.name for side, part in pair.items()}
    match = Match(players["a"], players["b"], terms, config.match_games, names, OpeningSource(RANDOM), seed=config.seed + 1)
    nets = {side: load(part.path or "", device="cpu", precision=part.precision, threads=1) for side, part in pair.items()}
    play = play_in_process(players, evaluators=nets, games_at_once=config.match_games)
    summary = run_match(match, config.out / f"{form.name}-against-f32", play=play)
    for net in nets.values():
        net.close()
    return str(summary.elo)


def rows(forms: list[Form]) -> list[list[str]]:
    """Lines of the table; columns as in HEADER."""
    lines = []
    for form in forms:
        told = form.told
        if "top1" not in told:
            lines.append([form.name, f"{form.size / 1e6:.2f}", *("-" for _ in HEADER[2:])])
            continue
        speed = [f"{told['evaluations_per_second']:.0f}", f"{told['against_f32']:.2f}"]
        off = [f"{told['same_move']:.1%}", f"{told['win_rate_off']:.2%}", f"{told['win_rate_off_most']:.1%}"]
        lines.append([form.name, f"{form.size / 1e6:.2f}", *speed, *off, f"{told['top1']:.2%}", str(told.get("elo", "-"))])
    return lines


def notes(forms: list[Form]) -> list[str]:
    """A line for each form that cannot be had here as it is meant."""
    return [f"{form.name}: {form.problem}" for form in forms if form.problem]


def as_json(forms: list[Form]) -> list[dict[str, object]]:
    """The same as JSON values."""
    return [{**asdict(form), "path": form.path and form.path.name} for form in forms]
