"""The player of many games at once: positions to the policies, moves from their answers, a batch for each policy and ply.

All games begin together on the empty board and are of the same age. A move is drawn from the softmax of the policy over the
sensible moves: legal, superko included, no suicide, no filling of an own eye. Who has none passes; two passes end a game, and
it is counted as it stands (Tromp-Taylor). So policies need not know when to pass. Knows no nets and no files.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from goengine.board.rules import Rules
from goengine.dataio.records import BLACK_WINS, DRAW, NO_RESULT, SCORE, UNKNOWN, WHITE_WINS, GamePack, unknown_players
from goengine.features import FeatureSet
from goengine.features.encoders import batch_encoder
from goengine.policy_play import game_arrays as tables

RULES = Rules.preset("tromp-taylor")


@dataclass(frozen=True)
class PolicyGameParams:
    """What all games have in common. Raises ValueError if a number makes no sense."""

    size: int
    komi: float = 7.5
    temperature: float = 1.0  # of the softmax that moves are drawn from; 0: always the likeliest
    longest: float = 3.0  # plies over points of the board; longer games have no result

    def __post_init__(self) -> None:
        if not 2 <= self.size <= 25 or not 0 <= self.temperature < float("inf") or not 0 < self.longest <= 10:
            raise ValueError("board sizes are 2 to 25, temperatures not negative, games at most 10 times as long as points")
        RULES.with_komi(self.komi)

    @property
    def plies(self) -> int:
        """The longest game."""
        return max(4, round(self.longest * self.size**2))


class PolicyRows(NamedTuple):
    """Positions in which the same policy is to move, B of them, all of the same ply."""

    planes: np.ndarray  # float32[B, C, N, N]
    globals: np.ndarray  # float32[B, G]
    legal: np.ndarray  # uint8[B, A]  1 for the moves that may be drawn
    games: np.ndarray  # int64[B]  their numbers
    ply: int


class Policy(Protocol):
    """Who plays. The rows' arrays are its own only until it answers."""

    features: FeatureSet

    def logits(self, rows: PolicyRows) -> np.ndarray:
        """float32[B, A], finite where a move may be drawn."""


class FinishedPolicyGame(NamedTuple):
    """G games that are over; L plies at most."""

    moves: np.ndarray  # uint16[G, L]  policy indices, beginning with Black's, of which `length` count
    length: np.ndarray  # int64[G]
    margin: np.ndarray  # float32[G]  Black's points minus White's with komi; nan for a game that became too long

    @property
    def result(self) -> np.ndarray:
        """float32[G]: 1 where Black won, -1 where White did, 0 for a draw, nan without a result."""
        return np.sign(self.margin)

    def pack(self, terms: PolicyGameParams, note: str = "") -> GamePack:
        """The games as records."""
        games = len(self.length)
        outcome = np.full(games, NO_RESULT, np.int8)
        for sign, name in ((1, BLACK_WINS), (-1, WHITE_WINS), (0, DRAW)):
            outcome[self.result == sign] = name
        taken = np.arange(self.moves.shape[1]) < self.length[:, None]
        return GamePack(
            moves=self.moves[taken],
            offsets=np.concatenate([np.zeros(1, np.int64), np.cumsum(self.length)]),
            breaks=np.zeros(0, np.int64),
            first=np.ones(games, np.uint8),
            size=np.full(games, terms.size, np.uint8),
            komi2=np.full(games, round(2 * terms.komi), np.int16),
            rules=np.zeros(games, np.uint8),
            handicap=np.zeros(games, np.uint8),
            outcome=outcome,
            margin=self.margin,
            ending=np.where(np.isnan(self.margin), UNKNOWN, SCORE).astype(np.uint8),
            year=np.zeros(games, np.int16),
            source=np.zeros(games, np.uint64),
            setup=np.zeros(0, np.uint16),
            setup_color=np.zeros(0, np.uint8),
            setup_offsets=np.zeros(games + 1, np.int64),
            **unknown_players(games),
            rule_names=(RULES.to_sgf_text(),),
            note=note,
        )


Who = Callable[[np.ndarray, int], np.ndarray]  # (numbers of games int64[B], ply) -> who moves in each: places in `policies`


def by_colour(black: np.ndarray) -> Who:
    """Policy ``black[g]`` (0 or 1) plays Black in game g, the other one White."""

    def who(games: np.ndarray, ply: int) -> np.ndarray:
        return black[games] if ply % 2 == 0 else 1 - black[games]

    return who


def alternating(games: int) -> np.ndarray:
    """int64[games]: policy 0 is Black in every second game, beginning with the first."""
    return np.arange(games) % 2


class PolicyGames:
    """A table for games of some policies; `play` may be called again and again. Not for two threads at a time."""

    def __init__(self, terms: PolicyGameParams, games: int):
        self.terms, self.games = terms, games
        self._rules = RULES.with_komi(terms.komi).code()._replace(komi=float(terms.komi))
        self._table = tables.new_table(terms.size, games, terms.plies)
        self._groups: dict[str, _PolicyGroup] = {}

    def play(
        self,
        policies: Sequence[Policy],
        who: Who,
        seed: Sequence[int],
        random_at: np.ndarray | None = None,
        *,
        temperatures: Sequence[float] | None = None,
        tell: Callable[[int], None] = lambda ended: None,
    ) -> FinishedPolicyGame:
        """Play all games to their ends. The same policies and seed give the same games.

        random_at: int64[games]: the ply of each game that is drawn from all legal points alike, -1 for none. temperatures: of
        each policy, instead of the one of all. tell: hears after each ply how many games have ended. Raises ValueError if a
        policy's answers are no numbers.
        """
        of_policies = np.full(len(policies), self.terms.temperature) if temperatures is None else np.array(temperatures, float)
        table, count, ply = self._table, self.games, 0
        table.generator[:] = np.random.SeedSequence(seed).generate_state(2 * count, np.uint64).reshape(count, 2)
        table.random_at[:] = -1 if random_at is None else random_at
        tables.begin(table, self.terms.size)
        while count:
            tables.survey(table, count, self._rules)
            movers = who(table.number[:count], ply)
            logits = self._ask(policies, movers, count, ply)
            count = tables.advance(table, count, logits, of_policies[movers], self._rules.komi)
            ply += 1
            tell(self.games - count)
        return FinishedPolicyGame(table.moves.copy(), table.length.copy(), table.margin.copy())

    def _ask(self, policies: Sequence[Policy], movers: np.ndarray, count: int, ply: int) -> np.ndarray:
        """float32[count, A]: what the policy to move says in each place."""
        logits = np.zeros((count, self.terms.size**2 + 1), np.float32)
        encoded: set[str] = set()
        for number, policy in enumerate(policies):
            places = np.flatnonzero(movers == number)
            if not len(places):
                continue
            name = policy.features.name
            group = self._groups.setdefault(name, _PolicyGroup(policy.features, self.terms.size, self.games))
            if name not in encoded:  # all games at once, whoever is to move: policies that meet mostly see the same features
                encoded.add(name)
                group.encode(self._table.games, count, self._rules, group.scratch, group.planes, group.globals)
            legal = self._table.legal[places]
            rows = PolicyRows(group.planes[places], group.globals[places], legal, self._table.number[places], ply)
            logits[places] = answer = policy.logits(rows)
            if not np.isfinite(answer[legal > 0]).all():
                raise ValueError("a policy's answers are not numbers")
        return logits


class _PolicyGroup:
    """Where positions are encoded by a feature set."""

    def __init__(self, features: FeatureSet, size: int, games: int):
        self.encode, self.scratch = batch_encoder(features), features.new_scratch(size)
        self.planes = np.zeros((games, features.planes, size, size), np.float32)
        self.globals = np.zeros((games, features.globals), np.float32)
