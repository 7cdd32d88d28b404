"""What the commands of `python -m training` about games and nets do and print: packing, measuring, shipping.

The work is done elsewhere; torch is imported by need.
"""

import json
import math
import shlex
import sys
from dataclasses import asdict, astuple

from goengine.core import machine
from goengine.core.progress import Progress
from goengine.core.tables import short, table, wrapped
from goengine.evaluators import shipped_nets
from training.core.checkpoint import RunError
from training.core.command_options import (
    CountOptions,
    EvaluateOptions,
    Export,
    GrowOptions,
    PackOptions,
    RestemOptions,
    ReviveOptions,
    ShipOptions,
    TrainingBenchOptions,
)
from training.core.owner_options import CompareOwnersOptions, LabelOptions
from training.core.rank_options import CompareRanksOptions, SequenceExportOptions
from training.core.split_options import MemoryOptions
from training.core.worker_options import ParallelBenchOptions
from training.detection.detection_options import ShipDetectorOptions
from training.laboratory.forms_options import FormsOptions
from training.pictures.reader_options import ExportReaderOptions, ReadPicturesOptions
from training.stages.policy_options import PolicyMatchOptions


def run_pack(config: PackOptions) -> int:
    """Pack, and say what became of the games."""
    from training.data import packs

    with Progress(f"pack {config.out.name}") as bar:
        count = 0

        def say(text: str) -> None:
            nonlocal count
            count += 1
            bar.update(count, text)

        report = packs.pack(config.sources, config.out, owners=config.owners, say=say, part=config.part)
    sys.stderr.write(
        f"{config.out}: {report.games} games, {report.positions} positions, {report.counted} counted, "
        f"{report.owned} with owners, "
        f"{report.left_out} left out{' (first: ' + report.first_error + ')' if report.first_error else ''}"
        f"{f', {report.unknown_rules} with unknown rules' if report.unknown_rules else ''}"
        f"{f'; each with its reason: {report.reasons}' if report.reasons else ''}\n"
    )
    return 0


def run_policy_match(config: PolicyMatchOptions) -> int:
    """Play, and print a line for each temperature of b, or one JSON object."""
    from training.stages import policy_match

    results = policy_match.run(config)
    told = {"a": config.a, "b": config.b, "size": config.size, "matches": [result.to_json() for result in results]}
    sys.stdout.write(json.dumps(told) + "\n" if config.json else policy_match.to_text(config, results))
    return 0


def run_evaluate(config: EvaluateOptions) -> int:
    """Measure, and print a line per figure or one JSON object on stdout."""
    import numpy as np

    from goengine import features
    from goengine.evaluators.load import load
    from goengine.evaluators.symmetric import Symmetric
    from training.data import packs
    from training.measure import calibration_curve, evaluate
    from training.measure.phases import RecordingEvaluator, phases

    evaluator = load(config.net, size=None, device=config.device, precision=config.precision, threads=config.threads)
    if config.symmetries > 1:
        evaluator = Symmetric(evaluator, np.random.default_rng(config.seed), config.symmetries)
    chosen = features.get(evaluator.features)
    rows, by_phase, tables = {}, {}, []
    for size, games in packs.by_size(packs.load_any(config.games)).items():
        predict = RecordingEvaluator(evaluate.from_evaluator(evaluator))
        sampler, count = evaluate.as_played(games, chosen, config.positions, config.seed)
        rows[size] = evaluate.measure_with(predict, sampler, count, config.batch)
        by_phase[size] = phases(sampler, predict.values()) if config.phases else []
        tables.append(calibration_curve.tables(sampler, predict.values()) if config.reliability else {})
    evaluator.close()
    total = evaluate.combine(list(rows.values())).as_dict()
    reliable = calibration_curve.merged(tables)
    if config.reliability:
        calibration_curve.picture(reliable, config.reliability, evaluator.name)
    if config.json:
        by_size = {str(size): figures.as_dict() for size, figures in rows.items()} if len(rows) > 1 else {}
        told = {str(size): [asdict(phase) for phase in found] for size, found in by_phase.items() if found}
        more = {**({"sizes": by_size} if by_size else {}), **({"phases": told} if told else {})}
        more |= {"reliability": calibration_curve.for_card(reliable)} if reliable else {}
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


def run_count(config: CountOptions) -> int:
    """Count, and print a line per figure or one JSON object on stdout."""
    from goengine.dataio import sgf
    from goengine.player.net_source import NetSource
    from goengine.player.opinion import Opinion
    from training.measure.count_games import count_games

    trust = {"card": None, "both": True, "playouts": False}[config.owners]
    opinion = Opinion(NetSource(config.net or None), config.playouts, trust)
    records = (game for game in sgf.iterate_games(config.games) if not isinstance(game, Exception))
    with Progress("count", config.limit) as bar:
        figures = count_games(opinion, records, config.limit, bar.update).as_dict()
    if config.json:
        sys.stdout.write(json.dumps(figures) + "\n")
        return 0
    wrong = figures.pop("wrong")
    for name, value in figures.items():
        sys.stdout.write(f"{name:14} {value:.2f}\n" if isinstance(value, float) else f"{name:14} {value}\n")
    sys.stdout.write("".join(f"wrong winner   {line}\n" for line in wrong))
    return 0


def run_compare_owners(config: CompareOwnersOptions) -> int:
    """Compare, and print tables or one JSON object on stdout."""
    from training.measure import owner_report

    with Progress("compare owners") as bar:
        told = owner_report.report(config, bar.update)
    sys.stdout.write(json.dumps(told) + "\n" if config.json else owner_report.tables(told))
    return 0


def run_export_reader(config: ExportReaderOptions) -> int:
    """Write the graph and its card, and say where they are."""
    from training.pictures import reader_file

    sys.stderr.write(f"{reader_file.ship(config.weights, config.out)}: written, with .bin and .json\n")
    return 0


def run_read_pictures(config: ReadPicturesOptions) -> int:
    """Measure, and print a table or one JSON object on stdout."""
    from training.measure import read_pictures

    with Progress("read pictures", config.limit) as bar:
        outcomes = read_pictures.run(config, bar.update)
    if config.json:
        sys.stdout.write(json.dumps(read_pictures.as_json(outcomes)) + "\n")
    else:
        sys.stdout.write(table(read_pictures.rows(read_pictures.by_kind(outcomes)), header=read_pictures.HEADER))
    return 0


def run_sequence_export(config: SequenceExportOptions) -> int:
    """Write the files, and say where they are."""
    from goengine.nets.sequence import sequence_export, sequence_file

    config.out.parent.mkdir(parents=True, exist_ok=True)
    sequence_export.export(sequence_file.load(config.weights), config.out)
    sys.stderr.write(f"{config.out} and {config.out.with_suffix('.bin').name}: a model of move tokens\n")
    return 0


def run_compare_ranks(config: CompareRanksOptions) -> int:
    """Measure, and print tables or one JSON object on stdout."""
    from training.measure import compare_ranks

    with Progress("compare ranks", len(config.models)) as bar:
        told = compare_ranks.compare(config, bar.update)
    sys.stdout.write(json.dumps(told) + "\n" if config.json else compare_ranks.tables(told))
    return 0


def finite(values: dict) -> dict:
    """NaN as None: JSON has no NaN."""
    return {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in values.items()}


def run_label(config: LabelOptions) -> int:
    """Label, and say how many games are believed."""
    from goengine.dataio.sgf import iterate_games
    from goengine.player.net_source import NetSource
    from goengine.player.opinion import Opinion
    from training.data import final_owners

    config.out.mkdir(parents=True, exist_ok=True)
    opinions = [Opinion(NetSource(config.net), config.playouts, trust) for trust in (False, True)]
    with Progress("label", config.limit) as bar:
        records = final_owners.by_turns(iterate_games((path,)) for path in config.games)
        found, asked = final_owners.of_records(records, opinions, config.limit, bar.update)
        for size, part in final_owners.of_shards(config.shards, bar.update).items():
            found[size] = final_owners.FinalOwners.join([found[size], part]) if size in found else part
    for size, part in found.items():
        learned, held = part.divided(config.held_out)
        for name, games in ((f"{size}.npz", learned), (f"{size}-held-out.npz", held)):
            if len(games):
                games.save(config.out / name)
                sys.stderr.write(f"{config.out / name}: {len(games)} games\n")
    sys.stderr.write(f"{asked} records were counted\n")
    return 0


def run_forms(config: FormsOptions) -> int:
    """Compare number formats, and print the table or one JSON object on stdout."""
    from training.laboratory import number_formats

    forms = number_formats.run(config)
    told = json.dumps(number_formats.as_json(forms)) + "\n" if config.json else ""
    sys.stdout.write(told or table(number_formats.rows(forms), header=number_formats.HEADER))
    sys.stderr.writelines(f"{note}\n" for note in number_formats.notes(forms))
    return 0


def run_grow(config: GrowOptions) -> int:
    """Grow, and say what came of it."""
    from goengine import features
    from goengine.nets import architecture, weights_file
    from training.stages import grow
    from training.stages.supervised import check_features

    old = weights_file.load(config.weights)
    if config.features:
        check_features(config.features)
        grown = grow.widen(old, features.get(config.features))
        came = f"{old.spec.features} became {config.features}"
    else:
        deeper = architecture.parse(config.net, old.spec.features, old.spec.planes, old.spec.globals)
        grown = grow.deepen(old, deeper, config.seed)
        came = f"{len(old.spec.blocks)} blocks became {len(grown.spec.blocks)}"
    data = {**old.meta.data, "grown_from": old.meta.sha256}
    weights_file.save(config.out, grown, grown.spec, step=old.meta.step, config=old.meta.config, data=data)
    sys.stderr.write(f"{config.out}: {came}\n")
    return 0


def run_revive(config: ReviveOptions) -> int:
    """Revive silent units, and say how many there were."""
    from goengine import features
    from goengine.nets import weights_file
    from training.data import packs
    from training.data.sampling import Draw
    from training.data.stream import net_inputs
    from training.stages import revive

    net, meta = weights_file.load_module(config.weights)
    draw = Draw(config.seed, symmetries=1, shuffle=1, vary=0.5)
    heard = revive.listen(
        net, net_inputs(packs.load_sizes(config.data), features.get(net.spec.features), draw, config.positions)
    )
    count = revive.revive(net, heard, config.seed)
    data = {**meta.data, "revived_from": meta.sha256}
    weights_file.save(config.out, net, net.spec, step=meta.step, config=meta.config, data=data)
    sys.stderr.write(f"{config.out}: {count} of {len(heard.silent)} units of the value head were silent and begin anew\n")
    return 0


def run_restem(config: RestemOptions) -> int:
    """Fit the first convolution, and say how well it does what the old one did."""
    from goengine import features
    from goengine.nets import weights_file
    from training.data import packs
    from training.data.sampling import Draw
    from training.data.stream import net_inputs
    from training.stages import restem
    from training.stages.opponents import known_features
    from training.stages.supervised import check_features

    check_features(config.features)
    old, shown = weights_file.load(config.weights), features.get(config.features)
    known_features(config.weights, old.spec)
    games, draw = packs.load_sizes(config.data), Draw(config.seed, symmetries=1, shuffle=1, vary=0.0)
    seen = (net_inputs(games, chosen, draw, config.positions) for chosen in (features.get(old.spec.features), shown))
    fitted = restem.fit(old.module().eval(), shown, zip(*seen, strict=True))
    net = restem.restem(old, shown, fitted, config.heads)
    data = {**old.meta.data, "restemmed_from": old.meta.sha256, "explained": round(fitted.explained, 4)}
    weights_file.save(config.out, net, net.spec, step=old.meta.step, config=old.meta.config, data=data)
    share = f"{fitted.explained:.1%} of the variance of what the first convolution said"
    sys.stderr.write(f"{config.out}: {old.spec.features} became {config.features}; it explains {share}\n")
    return 0


def run_export(config: Export) -> int:
    """Write the ONNX file, and say where it is."""
    from goengine.nets import export, weights_file

    net, meta = weights_file.load_module(config.weights)
    try:
        export.export_onnx(net, meta, config.out)
    except ImportError as error:
        raise RunError(f"an ONNX file needs the packages onnx and onnxscript: {error}") from None
    sys.stderr.write(f"{config.out}: {', '.join(export.INPUTS)} -> {', '.join(export.OUTPUTS)}; any batch, any board size\n")
    return 0


def run_ship_detector(config: ShipDetectorOptions) -> int:
    """Write the graph, and say how large it is."""
    from training.detection import detector_file

    detector_file.export(detector_file.load(config.weights), config.out)
    size = sum(path.stat().st_size for path in (config.out, config.out.with_suffix(".bin")))
    sys.stderr.write(f"{config.out}: {size / 1e6:.2f} MB with its .bin\n")
    return 0


def run_ship(config: ShipOptions) -> int:
    """Ship, and print what was measured, where the net lies, and how to play it."""
    from training.measure import ship_stage

    folder = ship_stage.place(config)
    rows = [(name, _figure(value)) for name, value in ship_stage.run(config).items() if not isinstance(value, (dict, list))]
    sys.stdout.write(wrapped(rows, header=("measured", "value")))
    known = folder.parent in (shipped_nets.FOLDER, shipped_nets.user_folder())
    net = config.name if known else shlex.quote(str(folder))
    sys.stdout.write(f"\n{folder}\nPlay it: goengine gtp --net {net}\n")
    return 0


def _figure(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


def run_bench(config: TrainingBenchOptions) -> int:
    """Measure, and print a table or one JSON object on stdout."""
    from training import training_bench

    figures = []
    for figure in training_bench.measure(config):
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


def run_memory(config: MemoryOptions) -> int:
    """Measure, and print a table or one JSON object on stdout."""
    from training import memory_bench

    rows = list(memory_bench.measure(config))
    if config.json:
        sys.stdout.write(json.dumps({"options": asdict(config), "rows": [asdict(row) for row in rows]}) + "\n")
        return 0
    header = ("MB in a process", "processes", "weights", "gradients", "optimizer", "signals", "all", "process grew")
    shown = [(row.way, row.processes, *(f"{value / 1e6:.1f}" for value in astuple(row)[2:])) for row in rows]
    sys.stdout.write(table(shown, header=header))
    return 0


def run_parallel_bench(config: ParallelBenchOptions) -> int:
    """Measure, and print tables or one JSON object on stdout."""
    from training import parallel_bench

    found = parallel_bench.measure(config)
    if config.json:
        sys.stdout.write(json.dumps(found) + "\n")
        return 0
    sys.stdout.write(parallel_bench.words(found))
    parallel_bench.draw(found, config.out / parallel_bench.CURVES)
    sys.stdout.write(f"\n{config.out / parallel_bench.CURVES}\n")
    return 0
