"""The options of the command compare: every default, once. Imports no torch, so that help and errors come at once."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.arena.match_command import parse_sprt
from goengine.arena.strength.sprt import Sprt
from goengine.core.options import MOST_THREADS, Seconds, option
from goengine.nets import architecture
from training.core.command_options import SupervisedOptions

OPEN = "?"  # stands in a net's text for the width that is to be found
_TRIED = "48"  # a width in place of it, to see whether the rest of the text is right


@dataclass(frozen=True, kw_only=True)
class CompareOptions:
    """Train nets on the same batches, and tell what each costs, what it has learned and how strong it plays."""

    nets: tuple[str, ...] = option(
        help="architectures, the first is what all are compared with; c?:mmmmm gets the width that costs the same time"
    )
    run: Path = option(help="folder of the comparison; the same command goes on where it stopped")
    data: tuple[Path, ...] = option(help="packs (.npz, see the command pack) or folders of self-play shards, not both")
    validation: Path | None = option(None, "pack that is only measured; of shards every twentieth is held out")
    samples: int | None = option(None, "positions that each net learns from", least=1)
    budget: Seconds | None = option(None, "time that each net learns, 5m; with samples, whichever comes first")
    sizes: tuple[int, ...] = option(
        (),
        "board sizes to learn, measure and play on, in equal parts; by default all in the data as it has them",
        least=2,
        most=25,
    )
    features: str = option("zero", "feature set of the nets")
    batch: int = option(256, "positions per step", least=1)
    optimizer: Literal["sgd", "adamw", "muon"] = option("muon", "kind of optimizer")
    rate: float | None = option(None, "peak learning rate; each optimizer has its own default")
    average: float = option(0.999, "decay of the averaged weights, which are the result", most=1)
    seed: int = option(1, "of the first weights, the order of samples and the games")
    threads: int | None = option(None, "threads of the nets that learn; by default all cores", least=1, most=MOST_THREADS)
    device: str = option("auto", "on which they learn: cpu, cuda, cuda:1")
    half: bool | None = option(None, "learn in bfloat16; by default where the GPU or CPU has it")
    save_every: Seconds = option(Seconds(60), "time between checkpoints")
    validation_positions: int = option(8192, "held-out positions of each board size that are measured", least=1)
    form: Literal["f32", "bf16", "int8"] = option("f32", "number format in which time is equal and games are played")
    rounds: int = option(5, "turns of each net when its speed is measured", least=1)
    seconds: float = option(0.3, "time of a turn", most=60)
    games: int = option(60, "games of each net against the first, at equal visits and at equal time; 0: none")
    visits: int = option(64, "visits per move of the first net", least=1)
    sprt: str = option("", "stop a match when it is clear: 'elo0=0 elo1=20 alpha=.05 beta=.05'")
    processes: int = option(1, "that play games side by side", least=1, most=MOST_THREADS)
    json: bool = option(False, "print one JSON object")

    def __post_init__(self) -> None:
        self._check_nets()
        if self.samples is None and self.budget is None:
            raise ValueError("how long shall each net learn? give --samples or --budget")
        packs = [path for path in self.data if path.suffix == ".npz"]
        if not self.data or (packs and len(packs) != len(self.data)):
            raise ValueError("--data takes packs (NAME.npz) or folders of self-play shards, one kind at a time")
        if packs and self.validation is None:
            raise ValueError("--validation PACK: packs of games to learn from need another pack to measure on")
        if not packs and self.validation is not None:
            raise ValueError(f"--validation {self.validation}: of self-play shards every twentieth is held out; leave it away")
        if len(set(self.sizes)) != len(self.sizes):
            raise ValueError(f"--sizes {' '.join(map(str, self.sizes))}: a size twice")
        if not self.seconds > 0:
            raise ValueError("--seconds must be above 0")
        if self.sprt:
            parse_sprt(self.sprt)
        self.learning(self.nets[0])

    def _check_nets(self) -> None:
        names: dict[str, str] = {}
        for number, text in enumerate(self.nets, 1):
            if OPEN in text and number == 1:
                raise ValueError(f"--nets {text}: the first net sets the time, so its width must be a number")
            if not architecture.is_architecture(text.replace(OPEN, _TRIED)):
                raise ValueError(f"--nets {text}: is no architecture such as b5c48 or c?:rrgrr (net {number} of the list)")
            try:
                architecture.check(re.sub(re.escape(OPEN), _TRIED, text))
            except architecture.ArchitectureError as error:
                raise ValueError(
                    f"--nets {error} (net {number} of the list{f', with {_TRIED} for ?' * (OPEN in text)})"
                ) from None
            name = architecture.file_name(text.replace(OPEN, "open"))
            if name in names:
                raise ValueError(f"--nets {text}: is twice in the list (as {names[name]})")
            names[name] = text

    @property
    def shards(self) -> bool:
        """Whether the data are self-play shards."""
        return self.data[0].suffix != ".npz"

    @property
    def test(self) -> Sprt | None:
        """The test that may end a match."""
        return parse_sprt(self.sprt) if self.sprt else None

    def folder(self, text: str) -> Path:
        """Where the net of that architecture learns."""
        return self.run / "nets" / architecture.file_name(text)

    def learning(self, text: str) -> SupervisedOptions:
        """How the net of that architecture learns."""
        return SupervisedOptions(
            net=text,
            run=self.folder(text),
            data=() if self.shards else self.data,
            validation=self.validation,
            sizes=",".join(map(str, self.sizes)),
            steps=None if self.samples is None else -(-self.samples // self.batch),
            budget=self.budget,
            validate_every=Seconds(max(600.0, self.save_every)),
            **{name: getattr(self, name) for name in _PASSED_ON},
        )


_PASSED_ON = (
    "features",
    "batch",
    "optimizer",
    "rate",
    "average",
    "seed",
    "threads",
    "device",
    "half",
    "save_every",
    "validation_positions",
)
