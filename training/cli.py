"""The commands of `python -m training`.

Knows their names, and how they fail. What they do is in `learning_commands` and `net_commands`; torch is imported by need.
"""

import sys
from collections.abc import Sequence

from goengine.core.options import parse_command
from goengine.dataio.records import RecordError
from goengine.evaluators.base import EvaluatorError
from goengine.nets.safetensors_file import WeightsError
from goengine.patterns.policy import PolicyError
from goengine.zero.run_folder import RunFolderError
from training import learning_commands, net_commands
from training.core.checkpoint import RunError
from training.core.command_options import (
    CodistillOptions,
    CountOptions,
    DistillOptions,
    EvaluateOptions,
    Export,
    GrowOptions,
    PackOptions,
    QuantizeOptions,
    RestemOptions,
    ReviveOptions,
    RolloutOptions,
    ShipOptions,
    SupervisedOptions,
    TrainingBenchOptions,
)
from training.core.owner_options import CompareOwnersOptions, LabelOptions, OwnersOptions
from training.core.rank_options import CompareRanksOptions, RankedOptions, SequenceExportOptions, SequenceOptions
from training.core.split_options import MemoryOptions
from training.core.worker_options import JoinOptions, ParallelBenchOptions
from training.detection.detection_options import DetectorOptions, ShipDetectorOptions
from training.laboratory.compare_options import CompareOptions
from training.laboratory.forms_options import FormsOptions
from training.laboratory.lessons_options import LessonsOptions
from training.laboratory.prune_options import PruneOptions
from training.pictures.reader_options import ExportReaderOptions, ReaderOptions, ReadPicturesOptions
from training.stages.policy_options import PolicyMatchOptions, ReinforceOptions, ValueOptions
from training.zero.zero_options import Rate, ZeroOptions

# Packages that come with an extra, of which commands import what they need: the extra's name.
EXTRAS = {
    "torch": "train",
    "onnx": "train",
    "onnxscript": "train",
    "onnx_ir": "train",
    "matplotlib": "pictures",
    "cv2": "vision",
    "PIL": "vision",
}
OWN = ("openvino", "sgfmill", "rich", "platformdirs")  # that come with the engine, and that learning by self-play can lack
DESCRIPTION = "Train a net on recorded games: pack them, train, measure, ship. COMMAND --help lists a command's options."


def _of_device(error: RuntimeError) -> str | None:
    """What torch's device says by an error, None if it is none of its errors."""
    if "torch" not in sys.modules:
        return None
    from goengine.nets import devices

    return devices.failure(error, "the device")


COMMANDS = {
    "pack": (PackOptions, net_commands.run_pack),
    "supervised": (SupervisedOptions, learning_commands.run_supervised),
    "distill": (DistillOptions, learning_commands.run_distill),
    "codistill": (CodistillOptions, learning_commands.run_codistill),
    "quantize": (QuantizeOptions, learning_commands.run_quantize),
    "label": (LabelOptions, net_commands.run_label),
    "owners": (OwnersOptions, learning_commands.run_owners),
    "reader": (ReaderOptions, learning_commands.run_reader),
    "detector": (DetectorOptions, learning_commands.run_detector),
    "ship-detector": (ShipDetectorOptions, net_commands.run_ship_detector),
    "prune": (PruneOptions, learning_commands.run_prune),
    "forms": (FormsOptions, net_commands.run_forms),
    "lessons": (LessonsOptions, learning_commands.run_lessons),
    "ranked": (RankedOptions, learning_commands.run_ranked),
    "sequence": (SequenceOptions, learning_commands.run_sequence),
    "sequence-export": (SequenceExportOptions, net_commands.run_sequence_export),
    "compare-ranks": (CompareRanksOptions, net_commands.run_compare_ranks),
    "rollout": (RolloutOptions, learning_commands.run_rollout),
    "reinforce": (ReinforceOptions, learning_commands.run_reinforce),
    "value": (ValueOptions, learning_commands.run_value),
    "policy-match": (PolicyMatchOptions, net_commands.run_policy_match),
    "zero": (ZeroOptions, learning_commands.run_zero),
    "rate": (Rate, learning_commands.run_rate),
    "evaluate": (EvaluateOptions, net_commands.run_evaluate),
    "count": (CountOptions, net_commands.run_count),
    "export-reader": (ExportReaderOptions, net_commands.run_export_reader),
    "read-pictures": (ReadPicturesOptions, net_commands.run_read_pictures),
    "compare-owners": (CompareOwnersOptions, net_commands.run_compare_owners),
    "compare": (CompareOptions, learning_commands.run_compare),
    "join": (JoinOptions, learning_commands.run_join),
    "grow": (GrowOptions, net_commands.run_grow),
    "restem": (RestemOptions, net_commands.run_restem),
    "revive": (ReviveOptions, net_commands.run_revive),
    "export": (Export, net_commands.run_export),
    "ship": (ShipOptions, net_commands.run_ship),
    "bench": (TrainingBenchOptions, net_commands.run_bench),
    "memory": (MemoryOptions, net_commands.run_memory),
    "parallel-bench": (ParallelBenchOptions, net_commands.run_parallel_bench),
}
FORMER_NAMES = {"together": "codistill"}  # still understood, no longer shown


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    0: done; 1: it failed, and stderr says why; 2: wrong options; 130: stopped by a signal, go on with the same
    command.
    """
    words = list(sys.argv[1:] if argv is None else argv)
    words[:1] = [FORMER_NAMES.get(word, word) for word in words[:1]]
    name, config = parse_command(
        {key: kind for key, (kind, _) in COMMANDS.items()}, words, prog="python -m training", description=DESCRIPTION
    )
    try:
        return COMMANDS[name][1](config)
    except (PolicyError, RecordError, RunError, RunFolderError, WeightsError, EvaluatorError) as error:
        reason = str(error)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package not in EXTRAS and package not in OWN:
            raise
        wanted = f"'goengine[{EXTRAS[package]}]'" if package in EXTRAS else package
        reason = f"needs {package}, which is not installed: pip install {wanted}"
    except RuntimeError as error:
        if (told := _of_device(error)) is None:
            raise
        reason = told
    except OSError as error:
        place = error.filename2 or error.filename
        reason = (f"{place}: " if place else "") + (error.strerror or str(error))
    sys.stderr.write(f"python -m training {name}: {reason}\n")
    return 1
