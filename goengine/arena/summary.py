"""What the games of a match say together: score, Elo with its interval, reasons of losses, time and visits per move.

Reads the lines of a match folder (`goengine.arena.log`); knows no players and plays nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from goengine.arena.fixtures import Side, other
from goengine.arena.strength.elo import Elo, Score, from_pairs
from goengine.arena.strength.sprt import Sprt, SprtState
from goengine.core.tables import table

SIDES: tuple[Side, Side] = ("a", "b")


@dataclass(frozen=True)
class Summary:
    """The result of a match, from the side of player a."""

    names: Mapping[str, str]
    games: int  # those that count
    score: Score
    as_black: Score
    as_white: Score
    elo: Elo
    sprt: SprtState | None
    losses: Mapping[str, Mapping[str, int]]  # by player: reason -> games lost so
    without_result: Mapping[str, int]  # reason -> games
    plies: float  # per game
    seconds: Mapping[str, float]  # per move
    visits: Mapping[str, float]  # per move, where known
    repeated: int = 0  # games that were the same as an earlier one, and were played again
    complete: bool = True  # every game was played, or the test was decided

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return asdict(self) | {"points": self.score.points}

    def to_text(self) -> str:
        """A table for people."""
        return table(_rows(self), left=2)

    def brief(self) -> str:
        """Score and Elo in a few words, for a progress bar."""
        return f"{self.score}, {self.elo}" if self.games else ""


def summarize(
    lines: Iterable[Mapping[str, Any]],
    names: Mapping[str, str] | None = None,
    sprt: Sprt | None = None,
    *,
    repeated: int = 0,
    complete: bool = True,
) -> Summary:
    """The summary of these games. names: of the players, else as the games have them."""
    lines = sorted(lines, key=lambda line: line["game"])
    counted = [line for line in lines if line["result"] != "Void"]
    score = score_of(counted)
    return Summary(
        names=dict(names or _names(lines)),
        games=len(counted),
        score=score,
        as_black=score_of(line for line in counted if line["black"] == "a"),
        as_white=score_of(line for line in counted if line["black"] == "b"),
        elo=interval(counted),
        sprt=sprt_state(counted, sprt) if sprt else None,
        losses={side: dict(_reasons(line for line in counted if line["winner"] == other(side))) for side in SIDES},
        without_result=dict(_reasons(line for line in lines if line["result"] == "Void")),
        plies=round(sum(line["plies"] for line in counted) / len(counted), 1) if counted else 0.0,
        seconds=_per_move(counted, "seconds"),
        visits=_per_move(counted, "visits"),
        repeated=repeated,
        complete=complete,
    )


def score_of(lines: Iterable[Mapping[str, Any]]) -> Score:
    """Wins, draws and losses of player a in games that count."""
    winners = Counter(line["winner"] for line in lines)
    return Score(winners["a"], winners[""], winners["b"])


def interval(lines: Iterable[Mapping[str, Any]]) -> Elo:
    """Elo of a above b: from pairs, in which what the opening is worth is no noise, and from games whose other is missing."""
    pairs, rest = in_pairs(lines)
    return from_pairs(pairs, rest)


def sprt_state(lines: Iterable[Mapping[str, Any]], sprt: Sprt) -> SprtState:
    """Where the test stands after the complete pairs."""
    return sprt.state(in_pairs(lines)[0])


def in_pairs(lines: Iterable[Mapping[str, Any]]) -> tuple[list[float], Score]:
    """Points of a (0 to 2) in each pair of games that both count, and the score of the games whose other is missing."""
    pairs: dict[int, list[Mapping[str, Any]]] = {}
    for line in lines:
        pairs.setdefault(line["pair"], []).append(line)
    scores = {pair: score_of(games) for pair, games in pairs.items()}
    complete = [score.total for score in scores.values() if score.games == 2]
    return complete, sum((score for score in scores.values() if score.games != 2), Score())


def _names(lines: list[Mapping[str, Any]]) -> dict[str, str]:
    return {side: next((line["names"][side] for line in lines if line["names"].get(side)), side) for side in SIDES}


def _reasons(lines: Iterable[Mapping[str, Any]]) -> list[tuple[str, int]]:
    return Counter(line["reason"] for line in lines).most_common()


def _per_move(lines: list[Mapping[str, Any]], what: str) -> dict[str, float]:
    """Mean per move of each player, over the games where it is known."""
    means: dict[str, float] = {}
    for side in SIDES:
        known = [line for line in lines if line[what].get(side) is not None]
        moves = sum(line["moves"][side] for line in known)
        if moves:
            means[side] = round(sum(line[what][side] for line in known) / moves, 4)
    return means


def _rows(summary: Summary) -> list[tuple[str, str]]:
    score = summary.score
    rows = [
        ("players", f"{summary.names['a']} against {summary.names['b']}"),
        ("games", f"{summary.games}" + ("" if summary.complete else ", not all that were planned")),
        ("score", f"{score} ({100 * score.points:.1f} %)" if summary.games else "none"),
        ("as Black", str(summary.as_black)),
        ("as White", str(summary.as_white)),
        ("difference", f"{summary.elo}, 95 % interval"),
        ("chance that it is better", f"{100 * summary.elo.superiority:.1f} %"),
    ]
    if summary.sprt:
        rows.append(("SPRT", f"{summary.sprt}" + ("" if summary.sprt.verdict else ": undecided")))
    for side in SIDES:
        if summary.losses[side]:
            rows.append((f"{summary.names[side]} lost by", _counts(summary.losses[side])))
    if summary.without_result:
        rows.append(("without result", _counts(summary.without_result)))
    if summary.repeated:
        rows.append(("played again", f"{summary.repeated} games that had been played before"))
    rows.append(("plies per game", f"{summary.plies:g}"))
    for what, unit in (("seconds", ".3f"), ("visits", ",.0f")):
        means = getattr(summary, what)
        if any(means.values()):
            rows.append((f"{what} per move", ", ".join(f"{summary.names[s]} {means[s]:{unit}}" for s in SIDES if s in means)))
    return rows


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count}" for reason, count in counts.items())
