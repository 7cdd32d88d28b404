"""From a name or a path to an evaluator: the one place that decides which backend plays a net.

A name is 'uniform', the name of a shipped net, or empty for the default. A path is the folder of a net (with its card.json), a
.xml of OpenVINO, or a .safetensors checkpoint for torch. POLICY+VALUE are two nets, names or paths; one of them may be missing.
'lee' in one of these places is the shipped net of that kind; 'lee' alone is both. Of two nets one that does not fit the board
size is left out, and a warning says so. A backend is imported only when it is chosen:
playing on a CPU never imports torch.
"""

import ctypes
import dataclasses
import hashlib
import logging
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Final, Literal, NamedTuple

from goengine.core.machine import importable
from goengine.evaluators import shipped_nets
from goengine.evaluators.base import Evaluator, EvaluatorError, Traits
from goengine.evaluators.pair import Pair
from goengine.evaluators.uniform import Uniform
from goengine.nets import card as cards
from goengine.nets.architecture import difference
from goengine.nets.card import Card
from goengine.nets.safetensors_file import WeightsError
from goengine.nets.spec import NetSpec, NetSpecError

Precision = Literal["auto", "f32", "bf16", "f16", "int8"]
UNIFORM: Final = "uniform"
LEE: Final = "lee"
_JOINT: Final = "+"
_INSTEAD: Final = {
    "policy": "the tree policy gives the priors",
    "value": "rollouts, where they are played, give the values alone",
}
log = logging.getLogger(__name__)  # warnings go to stderr where nobody has set up logging


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where and how a net is computed.

    device: 'cpu' is OpenVINO; 'cuda', 'cuda:1' and 'torch-cpu' are torch, as is 'cuda:0+cuda:1', a net in parts on several
    devices (docs/split-nets.md); 'auto' is CUDA where torch and a GPU are, else 'cpu'. precision: 'auto' is the form that the
    net's card names, else bf16 where it is fast; 'int8' wants a quantized form of the net. threads: 0 leaves the choice to the
    backend. streams: batches that OpenVINO computes side by side. cache_folder: keeps what OpenVINO compiled.
    """

    device: str = "auto"
    precision: Precision = "auto"
    threads: int = 0
    streams: int = 1
    cache_folder: Path | None = None


def load(name: str | Path = "", *, size: int | None = None, backend: Backend | None = None, **settings: Any) -> Evaluator:
    """The evaluator of a net. size: the board size for which a default is wanted. settings: fields of `Backend`, if there is no
    `backend`.

    Raises EvaluatorError if there is no such net, a file is wrong or it cannot be played here; the message says what to do.
    """
    backend = Backend(**settings) if backend is None else backend
    try:
        return _load(str(name), size, backend)
    except (WeightsError, NetSpecError) as error:
        raise EvaluatorError(str(error)) from error


def parts(name: str) -> tuple[str, str] | None:
    """(policy, value) of a name of two nets, '' for a missing one; None if it names one net.

    Paths may hold a plus as well: of several ways to divide the name the first is taken for which both parts exist.
    """
    if name == LEE:
        return LEE, LEE
    if _JOINT not in name or _exists(name):
        return None
    ways = [(name[:place], name[place + 1 :]) for place, letter in enumerate(name) if letter == _JOINT]
    return next((way for way in ways if all(map(_is_there, way))), ways[0])


def _is_there(name: str) -> bool:
    return name in ("", LEE, UNIFORM, *shipped_nets.names()) or _exists(name)


def _exists(name: str) -> bool:
    return os.path.exists(os.path.expanduser(name))  # a whole command line, too long for a path, is no error here


class Resolved(NamedTuple):
    """What a name stands for on boards of a size. left_out: a sentence for each net of a pair that does not fit them."""

    name: str
    left_out: tuple[str, ...] = ()

    def warn(self) -> str:
        """The name, after what is left out was said."""
        for sentence in self.left_out:
            log.warning("%s", sentence)
        return self.name


def resolve(name: str, size: int | None) -> Resolved:
    """The name with shipped nets for that board size in place of '' and 'lee', without nets of a pair that do not fit it.

    Nets of files without a card are taken to fit all boards. Raises EvaluatorError if no net is shipped that is wanted.
    """
    both = parts(name)
    try:
        if both is None:
            return Resolved(name or shipped_nets.default(size))
        found = [_part(one, head, size) for one, head in zip(both, ("policy", "value"), strict=True)]
    except WeightsError as error:
        raise EvaluatorError(str(error)) from error
    return Resolved(_JOINT.join(part.name for part in found), tuple(text for part in found for text in part.left_out))


def _part(name: str, head: str, size: int | None) -> Resolved:
    """As `resolve`, for one net of a pair and the head that is wanted of it. Raises WeightsError."""
    if name == LEE:
        name = shipped_nets.default(size, outputs=frozenset({head}))
    card = _card(name)
    if size is None or card is None or shipped_nets.fits(card, head, size):
        return Resolved(name)
    only = f"{card.name} has learned {shipped_nets.learned(card, head)} only"
    others = "--net POLICY+VALUE names others"
    return Resolved("", (f"{only}: on {size}x{size} it is left out, and {_INSTEAD[head]}; {others}",))


def _card(name: str) -> Card | None:
    """The card of a shipped net or of a net's folder; None where there is none."""
    if name in shipped_nets.names():
        return shipped_nets.read(name)
    folder = Path(name).expanduser()
    return cards.read(folder) if name and _exists(name) and folder.is_dir() else None


def resolved(name: str, size: int | None) -> str:
    """The name alone, as `resolve` finds it."""
    return resolve(name, size).name


def cuda_devices() -> int:
    """Number of NVIDIA GPUs that the driver shows; asks the driver itself, without torch."""
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
        count = ctypes.c_int(0)
        if driver.cuInit(0) or driver.cuDeviceGetCount(ctypes.byref(count)):
            return 0
    except (OSError, AttributeError):
        return 0
    return count.value


def _load(name: str, size: int | None, backend: Backend) -> Evaluator:
    name = resolve(name, size).warn()
    if (both := parts(name)) is not None:
        return Pair(*(_load_one(part, backend) if part else None for part in both))
    return _load_one(name, backend)


def _load_one(name: str, backend: Backend) -> Evaluator:
    if name == UNIFORM:
        return Uniform()
    path = _place(name)
    if path.is_dir():
        return _from_folder(path, backend)
    if path.suffix == ".safetensors":
        return _from_checkpoint(path, backend)
    if path.suffix == ".xml":
        return _from_xml(path, backend)
    raise WeightsError(f"{path}: expected a net's folder, a .xml (OpenVINO) or a .safetensors file (checkpoint)")


def _place(name: str) -> Path:
    """The folder of a shipped net, or the file or folder of that name. Raises WeightsError if there is none."""
    if name in shipped_nets.names():
        return shipped_nets.place(name)
    if name == UNIFORM:
        raise WeightsError(f"'{UNIFORM}' has no weights; the nets are: {', '.join(shipped_nets.names())}")
    path = Path(name).expanduser()
    if not path.exists():
        raise WeightsError(f"no net or file '{name}'; the nets are: {', '.join((*shipped_nets.names(), UNIFORM))}")
    return path


def _device(backend: Backend) -> str:
    """'cpu', 'torch-cpu' or a CUDA device, with 'auto' decided."""
    device = backend.device
    if device == "auto":
        return automatic_device()
    parts = device.split("+")
    if device == "cpu" or all(part == "torch-cpu" or part.split(":")[0] == "cuda" for part in parts):
        return device
    raise EvaluatorError(f"device: expected auto, cpu, torch-cpu, cuda, cuda:N or several as cuda:0+cuda:1, got '{device}'")


def automatic_device() -> str:
    """What the device 'auto' is here: 'cuda' where torch and a GPU are, else 'cpu'. Imports torch only where a GPU is."""
    return "cuda" if importable("torch") and cuda_devices() and _torch_has_cuda() else "cpu"


def _torch_has_cuda() -> bool:
    import torch

    return torch.cuda.is_available()


def _from_folder(folder: Path, backend: Backend) -> Evaluator:
    """A net with a card: every file is checked against it before a backend sees it."""
    card, device = cards.read(folder), _device(backend)
    if device != "cpu":
        cards.read_checked(folder, card, "net.safetensors")
        return _torch(folder / "net.safetensors", card, device, backend)
    if backend.precision == "auto" and card.results.form == "int8":
        backend = dataclasses.replace(backend, precision="int8")
    graph, weights = _graph(folder, card, backend.precision)
    return _openvino(graph, weights, card.spec, _traits(card, f"cpu {backend.precision}"), backend)


def _graph(folder: Path, card: Card, precision: Precision) -> tuple[bytes, bytes]:
    """The .xml and .bin of a form of a net, checked against its card."""
    stem = f"{card.name}-int8" if precision == "int8" else card.name
    graph, weights = (cards.read_checked(folder, card, f"{stem}.{suffix}") for suffix in ("xml", "bin"))
    path = folder / f"{stem}.xml"
    spec = NetSpec.from_json(_openvino_module().written_spec(graph, path))
    if spec != card.spec:
        raise WeightsError(f"{path}: is another net than its card says ({difference(spec, card.spec)}); get it again")
    return graph, weights


def graph_of(name: str, precision: Precision = "auto") -> tuple[Card, bytes, bytes]:
    """(card, .xml, .bin) of a shipped net or a net's folder; empty: the default. precision 'auto': the form its card names.

    Raises EvaluatorError if there is no such net or a file is not the one on its card.
    """
    try:
        folder = _place(resolved(name, None))
        card = cards.read(folder)
        chosen: Precision = "int8" if precision == "auto" and card.results.form == "int8" else precision
        return (card, *_graph(folder, card, chosen))
    except WeightsError as error:
        raise EvaluatorError(str(error)) from error


def _from_checkpoint(path: Path, backend: Backend) -> Evaluator:
    """A checkpoint of a training run, played by torch, on the CPU too unless OpenVINO was asked for."""
    if backend.device == "cpu":
        raise EvaluatorError(f"{path}: a checkpoint is played by torch: device torch-cpu or cuda; or export it for OpenVINO")
    device = _device(backend)
    return _torch(path, None, "torch-cpu" if device == "cpu" else device, backend)


def _from_xml(path: Path, backend: Backend) -> Evaluator:
    """A net without a card: its .xml must say what it is, as the export writes it there."""
    openvino = _openvino_module()
    graph, weights = openvino.read_pair(path)
    digest = shipped_nets.digest_of_weights(graph, path.parent)
    if digest is not None and digest != hashlib.sha256(weights).hexdigest():
        raise EvaluatorError(f"{path.with_suffix('.bin')}: the checksum is not the one on the net's card; get both files again")
    spec = NetSpec.from_json(openvino.written_spec(graph, path))
    traits = _raw_traits(path.stem, spec, f"cpu {backend.precision}")
    return _openvino(graph, weights, spec, traits, backend)


def _raw_traits(name: str, spec: NetSpec, device: str) -> Traits:
    """Of a net without a card: its policy and its value are believed if it has them, nothing else is."""
    proven = {f"{head}_proven": head in spec.outputs for head in ("policy", "value")}
    return Traits(name=name, features=spec.features, device=device, **proven)


def _traits(card: Card, device: str) -> Traits:
    told = set(card.results.proven) & card.spec.outputs
    proven = {f"{head}_proven": head in told for head in cards.HEADS}
    return Traits(
        name=card.name, features=card.spec.features, device=device, policy_proven="policy" in card.spec.outputs, **proven
    )


def _openvino_module() -> ModuleType:
    try:
        from goengine.evaluators import openvino
    except ImportError as error:
        raise EvaluatorError(f"OpenVINO cannot be imported ({error}); install it with: pip install openvino") from error
    return openvino


def _openvino(graph: bytes, weights: bytes, spec: NetSpec, traits: Traits, backend: Backend) -> Evaluator:
    evaluator: Evaluator = _openvino_module().OpenVINO(
        graph,
        weights,
        traits,
        spec,
        precision="auto" if backend.precision == "int8" else backend.precision,
        threads=backend.threads,
        streams=backend.streams,
        cache_folder=backend.cache_folder,
    )
    return evaluator


def _torch(path: Path, card: Card | None, device: str, backend: Backend) -> Evaluator:
    try:
        from goengine.evaluators.network import Network
        from goengine.nets.weights_file import load_module
    except ImportError as error:
        raise EvaluatorError(f"torch cannot be imported ({error}); install it, or play on OpenVINO: device cpu") from error
    net, meta = load_module(path)
    place = device.replace("torch-cpu", "cpu")  # the evaluator adds the precision that it chooses
    if card is None:
        traits = _raw_traits(path.stem, meta.spec, place)
    elif card.spec != meta.spec:
        raise WeightsError(f"{path}: is another net than its card says ({difference(meta.spec, card.spec)}); get it again")
    else:
        traits = _traits(card, place)
    return Network(net, traits, device=place, precision=backend.precision, threads=backend.threads)
