"""How well the engine counts finished games: its score of the last position against the result that the players agreed on.

Knows records and the engine's judgement of a position; no search.
"""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass

from goengine.dataio.records import SCORE, GameRecord
from goengine.player.opinion import Opinion
from training.data.final_owners import final_position


@dataclass(frozen=True)
class CountFigures:
    """What became of the counted games."""

    games: int
    exact: int  # the score is the recorded one
    within_one: int  # it differs by one point at most, as where a last move in one's own territory is or is not asked for
    wrong_winner: int
    mean_error: float  # points
    wrong: tuple[str, ...]  # the wrong winners, as 'game 126: W+1.5, counted as B+22.5'

    def as_dict(self) -> dict[str, object]:
        """Plain values for JSON."""
        return asdict(self)


def count_games(
    opinion: Opinion, records: Iterable[GameRecord], limit: int | None, say: Callable[[int, str], None]
) -> CountFigures:
    """Count the last position of all records that ended with a score, or of the first `limit` of these."""
    errors, wrong = [], []
    for record in records:
        if record.ending != SCORE or record.margin is None:
            continue
        found = opinion.score(final_position(record))
        errors.append(abs(found - record.margin))
        if found * record.margin <= 0 and found != record.margin:
            wrong.append(f"{record.source or f'game {len(errors)}'}: {_text(record.margin)}, counted as {_text(found)}")
        say(len(errors), f"{len(wrong)} wrong winners")
        if len(errors) == limit:
            break
    exact, within_one = (sum(error <= most for error in errors) for most in (0.0, 1.0))
    return CountFigures(len(errors), exact, within_one, len(wrong), sum(errors) / max(1, len(errors)), tuple(wrong))


def _text(margin: float) -> str:
    return f"{'B' if margin > 0 else 'W'}+{abs(margin):g}"
