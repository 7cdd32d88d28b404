"""The options of the command zero: every default, once; and what self-play is told at each point of a run.

Knows how a share of the run that is done becomes self-play's settings. Imports no torch and plays nothing.
"""

import dataclasses
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from goengine.core.options import MOST_THREADS, Seconds, option
from goengine.zero.run_folder import SizeSettings
from goengine.zero.selfplay_params import SelfPlayParams
from training.core.command_options import LearningOptions, board_shares, check_packs, keeps_norms
from training.core.worker_options import ManyWorkers
from training.zero.division import OPENVINO, RATE_GAMES, Division, divide, here

_OWN = ("size", "visits", "cheap_visits", "full_share")  # settings that have options of their own


@dataclass(frozen=True)
class SelfPlayPhase:
    """From which share of the run on self-play searches so many visits, cheap ones (0: every search is full) among them."""

    start: float
    visits: int
    cheap_visits: int = 0


def phases(text: str) -> tuple[SelfPlayPhase, ...]:
    """Phases from a text such as 8,16@0.2,64/16@0.66: FULL[/CHEAP][@SHARE OF THE RUN], in order, the first from the start.

    Raises ValueError if it is not of that form.
    """
    found = []
    for part in text.split(","):
        numbers, _, start = part.partition("@")
        full, _, cheap = numbers.partition("/")
        try:
            found.append(SelfPlayPhase(float(start or 0), int(full), int(cheap or 0)))
        except ValueError:
            raise ValueError(f"--visits {text}: expected FULL[/CHEAP][@SHARE], such as 8,16@0.2,64/16@0.66") from None
    starts = [phase.start for phase in found]
    if starts[0] != 0 or starts != sorted(set(starts)) or not starts[-1] < 1:
        raise ValueError(f"--visits {text}: the first phase begins with the run, the others later, in order, at shares below 1")
    return tuple(found)


def parsed(texts: tuple[str, ...]) -> dict[str, Any]:
    """Self-play's settings by name from texts such as komi=7, method=puct, resign=none, rules=chinese+tromp-taylor.

    Raises ValueError if one is no NAME=VALUE or has an option of its own; `SelfPlayParams.from_json` judges names and values.
    """
    defaults = {field.name: field.default for field in dataclasses.fields(SelfPlayParams)}
    values: dict[str, Any] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals:
            raise ValueError(f"--play {text}: expected NAME=VALUE, such as komi=7; names: {', '.join(defaults)}")
        if name in _OWN:
            raise ValueError(f"--play {text}: has an option of its own, --size, --visits or --full-share")
        if isinstance(defaults.get(name), tuple):
            values[name] = value.split("+")
            continue
        try:
            values[name] = None if value.lower() == "none" else json.loads(value)
        except json.JSONDecodeError:
            values[name] = value
    return values


@dataclass(frozen=True, kw_only=True)
class AnchoredOptions:
    """What every command that rates nets against a program takes."""

    anchor: str = option("", "program to rate nets against, 'gnugo --mode gtp --level 10 --chinese-rules': a line in elo.png")
    anchor_games: int = option(20, "games of a net against it", least=1)
    anchor_nth: int = option(0, "every so many rated nets one plays them; 0: the last rated net alone, at the end")

    def _check_anchor(self) -> None:
        if self.anchor_games < 1 or self.anchor_nth < 0:
            raise ValueError("--anchor-games must be at least 1, --anchor-nth not negative")


@dataclass(frozen=True, kw_only=True)
class ZeroOptions(AnchoredOptions, LearningOptions, ManyWorkers):
    """Learn Go from nothing by self-play: workers play, this process learns; the same command goes on where a run stopped."""

    size: str = option("9", "board size; or several with shares of the work, 9=0.6,13=0.2,19=0.2: ratings are of the first")
    net: str = option(
        "b4c32",
        "an architecture (b4c32, c96:rrgr ...) for a fresh net, or a weights file to begin with; a larger one than the run's "
        "learns from its games, and takes over when it is as good",
    )
    features: str = option("zero", "feature set of a fresh net")
    workers: int | None = option(
        None,
        "processes that play; by default one per core, on torch fewer, for samples and learner; 0: others play into the folder",
        most=MOST_THREADS,
    )
    cluster: str = option(
        "", "play on this Ray cluster, too (local, auto, HOST:PORT, ray://HOST:PORT); by default nobody else plays then"
    )
    games: int | None = option(None, "games that each of them plays at once; by default 128, on a GPU 512", least=1)
    device: str = option(
        "auto",
        "where nets play and learn: cpu (OpenVINO plays), torch-cpu, cuda, cuda:1; auto: a GPU where there is one, else cpu, "
        "without OpenVINO torch-cpu",
    )
    sample_threads: int | None = option(
        None, "threads that make the learner's samples; by default 1, on torch a fifth of the cores", least=1, most=MOST_THREADS
    )
    export: bool | None = option(
        None, "publish nets for OpenVINO, too; by default where it is installed and --device is cpu or --workers 0"
    )
    self_test: bool | None = option(
        None, "try every part of the run on a small board first, in about 20 s; by default on torch's devices"
    )
    visits: str = option("8,16@0.2,32@0.6", "of a full search: FULL[/CHEAP][@SHARE OF THE RUN FROM WHICH ON], in order")
    full_share: float = option(
        0.25, "share of searches that are full, where there are cheap ones; only these teach the policy", most=1
    )
    play: tuple[str, ...] = option((), "other settings of self-play, NAME=VALUE, such as komi=7 resign=-0.95 fork_share=0.1")
    fair_komi: bool = option(True, "draw komi around what the games so far show to be fair")
    window: int = option(
        25_000, "c of the window's power law: positions with a full search that are learned from at first", least=1
    )
    uses: float = option(4.0, "times that a position is drawn, on average; learning waits for games where it would be more")
    first_rows: int | None = option(None, "positions before learning begins; by default a fifth of the window")
    horizon_weight: float = option(0.5, "share of later searches in the value's target; the result has the rest", most=1)
    other_komi: float = option(0.0, "share of samples of games with a result that are shown under another komi", most=1)
    only: Literal["", "value", "policy"] = option("", "head that alone learns; all else stays as it is")
    data: tuple[Path, ...] = option((), "packed games (see the command pack) to learn from, too; with --data-share")
    data_share: float | None = option(None, "share of batches that are drawn from --data", most=1)
    validation: Path | None = option(None, "packed games that are only measured")
    int8: bool | None = option(
        None, "self-play on OpenVINO computes on 8-bit integers, by default; steps of roundings are found on the newest games"
    )
    threads: int | None = option(
        1, "threads of the learner on a CPU; more suffer beside processes that play", least=1, most=MOST_THREADS
    )
    optimizer: Literal["sgd", "adamw", "muon"] = option("muon", "kind of optimizer")
    save_every: Seconds | None = option(None, "time between nets for self-play; by default a 40th of the budget, 10s to 5m")
    validate_every: Seconds | None = option(
        None, "time between measurements on new games; by default a 40th of the budget, 1m to 10m"
    )
    rate_games: int | None = option(
        None,
        "games of a rating: half against the net rated before, half against chance; by default 40, without exports 0: none",
    )
    rate_visits: int = option(32, "visits of their searches", least=1)
    rate_nth: int | None = option(None, "every so many nets one is rated; by default about twelve in the run", least=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._check_workers(self.batch)
        for name in ("games", "window", "rate_visits", "sample_threads"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"--{name.replace('_', '-')} must be at least 1")
        if (self.workers or 0) < 0 or (self.rate_games or 0) < 0 or (self.rate_nth or 1) < 1:
            raise ValueError("--workers and --rate-games must not be negative, --rate-nth at least 1")
        self._check_anchor()
        if self.anchor and self.rate_games == 0:
            raise ValueError("--anchor needs rated nets: --rate-games above 0")
        if not 0 < self.uses < float("inf") or not 0 <= self.horizon_weight <= 1:
            raise ValueError("--uses must be above 0, --horizon-weight a share of one")
        if not 0 <= self.other_komi <= 1:
            raise ValueError("--other-komi is a share of one")
        self._check_data()
        if not self.size:
            raise ValueError("--size: a board size is needed")
        for phase in phases(self.visits):  # every setting is judged before anything starts
            self.boards(phase.start)

    def _check_data(self) -> None:
        check_packs("--data", *self.data)
        check_packs("--validation", *([self.validation] if self.validation else []))
        if bool(self.data) != (self.data_share is not None):
            raise ValueError("--data and --data-share need each other")
        if self.data_share is not None and not 0 < self.data_share < 1:
            raise ValueError(f"--data-share {self.data_share}: must be above 0 and below 1")

    @property
    def shares(self) -> dict[int, float]:
        """Share of self-play's evaluations, and of the batches from its games, by board size; they add up to 1."""
        shares = board_shares(self.size, "--size")
        return {size: share / sum(shares.values()) for size, share in shares.items()}

    @property
    def own_share(self) -> float:
        """Share of batches that are drawn from self-play's games."""
        return 1.0 if self.data_share is None else 1.0 - self.data_share

    def boards(self, done: float, komi: Mapping[int, float] = MappingProxyType({})) -> tuple[SizeSettings, ...]:
        """What self-play is told when that share of the run is done; komi: those measured to be fair, by board size.

        Raises ValueError (SelfPlayParamsError) if a setting makes no sense.
        """
        phase = [phase for phase in phases(self.visits) if phase.start <= done][-1]
        values: Mapping[str, Any] = {
            "visits": phase.visits,
            "cheap_visits": phase.cheap_visits,
            "full_share": float(self.full_share) if phase.cheap_visits else 1.0,
            **parsed(self.play),
        }
        boards = []
        for size, share in self.shares.items():
            fair = {"komi": komi[size]} if size in komi else {}
            boards.append(SizeSettings(SelfPlayParams.from_json({"size": size, **values, **fair}), share))
        return tuple(boards)

    @property
    def exports(self) -> bool:
        """Whether nets are published for OpenVINO, too."""
        return bool(self.resolve_defaults().export)

    @property
    def division(self) -> Division:
        """How the machine is divided, with the defaults resolved."""
        config = self.resolve_defaults()
        return Division(**{field.name: getattr(config, field.name) for field in dataclasses.fields(Division)})

    def resolve_defaults(self) -> "ZeroOptions":
        """With a number wherever the default depends on the machine, the budget or another option.

        Raises RunError if an option asks for what this machine has not.
        """
        if self.cluster and self.workers is None:
            return dataclasses.replace(self, workers=0).resolve_defaults()
        names = [field.name for field in dataclasses.fields(Division)]
        asked = Division(**{name: getattr(self, name) for name in names})
        if self.anchor and asked.rate_games is None:
            asked = dataclasses.replace(asked, rate_games=RATE_GAMES)
        division = asked if None not in dataclasses.astuple(asked) and self.device != "auto" else divide(asked, here())
        budget = self.budget or Seconds(3600)
        every = Seconds(min(max(budget / 40, 10), 300)) if self.save_every is None else self.save_every
        measured = Seconds(min(max(budget / 40, 60), 600)) if self.validate_every is None else self.validate_every
        return dataclasses.replace(
            self,
            **{name: getattr(division, name) for name in names},
            self_test=division.device != OPENVINO if self.self_test is None else self.self_test,
            first_rows=self.window // 5 if self.first_rows is None else self.first_rows,
            save_every=every,
            validate_every=measured,
            keep_norms=keeps_norms(self.keep_norms, self.net, len(self.shares) + len(self.data)),
            rate_nth=max(1, round(budget / max(every, 1) / 12)) if self.rate_nth is None else self.rate_nth,
        )


@dataclass(frozen=True, kw_only=True)
class Rate(AnchoredOptions):
    """Rate the nets of a zero run against each other, against chance and against a program; the run itself does so, too."""

    run: Path = option(help="folder of the run")
    games: int = option(40, "of a rating: half against the net rated before, half against chance", least=1)
    visits: int = option(32, "of their searches", least=1)
    nth: int = option(1, "rate every so many nets", least=1)
    device: str = option("", "where nets compute: cpu (OpenVINO), torch-cpu, cuda, cuda:1; by default as in the run")
    watch: bool = option(False, "wait for further nets, until standard input ends")

    def __post_init__(self) -> None:
        for name in ("games", "visits", "nth"):
            if getattr(self, name) < 1:
                raise ValueError(f"--{name} must be at least 1")
        self._check_anchor()
