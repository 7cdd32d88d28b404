"""The command line of the GTP server. Every default of the server that is not the engine's stands here, once."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from goengine.board.rules import Rules
from goengine.core.options import MOST_THREADS, Seconds, option
from goengine.player.engine_options import MAX_LEVEL, EngineOptions
from goengine.player.generations import RESIGN_CHANCE, Lee
from goengine.search import params_text as search_settings
from goengine.search.params import LEE, PLAY, SearchParams

_PLAYER = EngineOptions()
Precision = Literal["auto", "f32", "bf16", "f16", "int8"]


@dataclass(frozen=True)
class GtpOptions:
    """Play Go over the Go Text Protocol, version 2, on stdin and stdout."""

    net: str | None = option(None, "name of a shipped net or path of a weights file; the best shipped net if not given")
    generation: Literal["zero", "lee"] = option(
        "zero", "lee: as the first AlphaGo, with two nets (--net POLICY+VALUE) and rollouts"
    )
    visits: int | None = option(_PLAYER.visits, "visits per move at most", least=1)
    time: Seconds | None = option(_PLAYER.time, "time per move while no clock runs, such as 5 or 1m30s")
    rules: str = option("tromp-taylor", "a preset such as chinese, japanese, aga, or a JSON object")
    komi: float | None = option(None, "points for White; the usual komi of the rules if not given", least=None)
    boardsize: int = option(19, "board size at the start, 2 to 25", least=2, most=25)
    threads: int | None = option(
        None, "CPU threads for the net, and for rollouts; all cores if not given", least=1, most=MOST_THREADS
    )
    precision: Precision = option("auto", "number format of the net on a CPU; the fastest that costs no strength if not given")
    symmetries: int = option(1, "views of each position that are averaged, 1 (one at random) to 8", least=1, most=8)
    search: str = option("", "search constants such as preset=ZERO,cpuct=1.1; those for play if not given")
    ponder: bool = option(_PLAYER.ponder, "think in the opponent's time")
    resign: bool = option(_PLAYER.resign, "give up lost games")
    level: int = option(_PLAYER.level, "strength from 1 (weak) to 20 (full)", least=1, most=MAX_LEVEL)
    rank: str | None = option(
        _PLAYER.rank, "play as people of a rank do, 30k to 9d: 12k, 3d, or a profile of KataGo's such as preaz_5k"
    )
    rank_net: str = option(_PLAYER.rank_net, "the net that knows ranks: a name or a path; auto: the one that came along")
    book: str = option(
        _PLAYER.book, "openings: auto (the engine's own, unless a net is named), shipped (with any net), none, or a book's file"
    )
    gtp_name: str = option("Goengine", "the answer to `name`; some clients look for a known one")
    gtp_version: str | None = option(None, "the answer to `version`")
    log: Path | None = option(None, "append all commands and answers to this file")
    quiet: bool = option(False, "nothing on stderr but errors")
    rollout_weight: float | None = option(
        None,
        f"with --generation lee, share of the rollouts in the value ({LEE.rollout_weight:g})",
        short="--lambda",
        least=None,
    )
    rollouts: bool = option(True, "with --generation lee, play rollouts")
    value: bool = option(True, "with --generation lee, use the value net")
    policy: bool = option(True, "with --generation lee, use the policy net; without it priors are the tree policy's")
    seed: int | None = option(None, "seed of all random choices; a new one at each start if not given")

    def __post_init__(self) -> None:
        self.player()
        self.starting_rules()
        self.search_params()
        self.nets()
        if not 2 <= self.boardsize <= 25:
            raise ValueError(f"--boardsize must be from 2 to 25, not {self.boardsize}")
        if not 1 <= self.symmetries <= 8:
            raise ValueError(f"--symmetries must be from 1 to 8, not {self.symmetries}")

    def starting_rules(self) -> Rules:
        """The rules at the start, komi included. Raises ValueError if there are no such rules or komi."""
        try:
            rules = Rules.parse(self.rules)
        except ValueError as error:
            raise ValueError(f"--rules: {error}") from None
        try:
            return rules if self.komi is None else rules.with_komi(self.komi)
        except ValueError as error:
            raise ValueError(f"--komi: {error}") from None

    def search_params(self) -> SearchParams:
        """The constants of the search. Raises ValueError if one does not exist or makes no sense."""
        lee = self._lee()
        try:
            return search_settings.parse(self.search, PLAY if lee is None else lee.params(self._all_threads()))
        except ValueError as error:
            raise ValueError(f"--search: {error}") from None

    def net_threads(self) -> int | None:
        """Threads of the net; None leaves them to the backend."""
        lee = self._lee()
        return self.threads if lee is None else lee.net_threads(self._all_threads())

    def _all_threads(self) -> int:
        from goengine.core.machine import usable_cores  # which would slow every start

        return self.threads or usable_cores()

    def nets(self) -> str | None:
        """What to load, as `goengine.evaluators.load` reads it; None: the best net. Raises ValueError if it should be two."""
        lee = self._lee()
        return self.net if lee is None else lee.net(self.net)

    def player(self) -> EngineOptions:
        """The options of the player. Raises ValueError if one is out of range."""
        options = EngineOptions(
            visits=self.visits,
            time=self.time,
            level=self.level,
            ponder=self.ponder,
            resign=self.resign,
            rank=self.rank,
            rank_net=self.rank_net,
            book=self.book,
        )
        return options if self._lee() is None else dataclasses.replace(options, resign_winrate=RESIGN_CHANCE)

    def _lee(self) -> Lee | None:
        """What is left of the first AlphaGo; None if another generation plays. Raises ValueError if options contradict it."""
        parts = {"rollouts": self.rollouts, "value": self.value, "policy": self.policy}
        if self.generation == "lee":
            if self.rollout_weight is not None and not (self.rollouts and self.value):
                raise ValueError(
                    "--lambda weighs rollouts against the value net: it goes with neither --no-rollouts nor --no-value"
                )
            return Lee(**parts, **({} if self.rollout_weight is None else {"rollout_weight": self.rollout_weight}))
        missing = [f"--no-{name}" for name, there in parts.items() if not there]
        if missing or self.rollout_weight is not None:
            raise ValueError(f"{', '.join(missing) or '--lambda'} goes with --generation lee only")
        return None
