"""A review as text for the terminal and as JSON. Knows reviews and tables."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from goengine.board import coords
from goengine.board.state import BLACK, WHITE
from goengine.core.tables import table
from goengine.review import words
from goengine.review.by_rank import typical_and_slips
from goengine.review.judgement import Candidate, Evaluation, MoveReview
from goengine.review.reviewer import GameReview
from goengine.review.statistics import PHASES, Figures, of_game, turning_points, worst

NAMES = {BLACK: "Black", WHITE: "White"}
_DIGITS = 4


def to_text(review: GameReview) -> str:
    """Tables for people: figures by side and phase, and the worst moves of each side."""
    parts = [f"Reviewed {words.extent(review)}\n", *(f"Note: {note}\n" for note in review.notes)]
    if review.reviewed:
        parts += ["\n", _figures_table(review)]
    for color in (BLACK, WHITE):
        moves = worst([move for move in review.reviewed if move.color == color])
        if moves:
            parts += [f"\n{player(review, color)}'s worst moves\n", _worst_table(moves, review.size)]
            typical, slips = typical_and_slips([move for move in review.reviewed if move.color == color])
            if typical + slips:
                parts.append(f"Mistakes typical of the rank: {typical}; slips: {slips}\n")
        elif review.reviewed:
            parts.append(f"\n{player(review, color)} made no mistake that this search can tell from its own noise.\n")
    return "".join(parts)


def player(review: GameReview, color: int) -> str:
    """Black, with the name where the record has one; without control characters, which a terminal would obey."""
    name = review.record.black if color == BLACK else review.record.white
    shown = "".join(letter for letter in name[:40] if letter.isprintable())
    return f"{NAMES[color]} ({shown})" if shown else NAMES[color]


def _figures_table(review: GameReview) -> str:
    rows = []
    for color, side in of_game(review).items():
        for name, found in (("all", side.total), *((name, side.phases[name]) for name in PHASES)):
            if found.moves or name == "all":
                rows.append((NAMES[color] if name == "all" else "", name, *_cells(found)))
    header = ("", "", "moves", "accuracy", "mean loss", "as the engine", "doubtful", "bad", "blunders")
    return table(rows, header=header, left=2)


def _cells(found: Figures) -> tuple[str, ...]:
    if found.accuracy is None or found.mean_loss is None or found.agreement is None:
        return ("0", "", "", "", "", "", "")
    return (
        str(found.moves),
        f"{found.accuracy:.0f} %",
        f"{found.mean_loss:.2f}",
        words.percent(found.agreement),
        str(found.doubtful),
        str(found.bad),
        str(found.blunders),
    )


def _worst_table(moves: Sequence[MoveReview], size: int) -> str:
    rows = []
    ranked = next((move.ranked for move in moves if move.ranked is not None), None)
    for move in moves:
        assert move.best is not None and move.before is not None and move.after is not None
        chances = f"{words.percent(move.before.winrate)} -> {words.percent(1 - move.after.winrate)}"
        lost = f"{move.points_lost:.1f} ±{move.points_noise:.1f}"
        row = (words.move_name(move, size), words.line_text(move.best, size), lost, chances, words.GRADES[move.grade])
        rows.append((*row, *_shares(move)) if ranked else row)
    header = ("move", "better", "points lost", "win rate", "")
    return table(rows, header=(*header, ranked.rank, ranked.stronger, "") if ranked else header, left=2)


def _shares(move: MoveReview) -> tuple[str, str, str]:
    """How many people of the rank, and of the stronger one, play the move."""
    if move.ranked is None:
        return "", "", ""
    kind = "typical" if move.ranked.typical else "slip"
    return words.share(move.ranked.share), words.share(move.ranked.stronger_share), kind


# -- JSON --


def to_json(review: GameReview) -> dict[str, Any]:
    """Everything that is known, as plain values. Win rates are shares; values of a move are for who made it."""
    sides = of_game(review)
    return {
        "size": review.size,
        "rules": review.rules.name(),
        "komi": review.rules.komi,
        "net": review.net,
        "visits": review.visits,
        "complete": not review.stopped,
        "notes": list(review.notes),
        "players": {"black": review.record.black, "white": review.record.white},
        "figures": {NAMES[color].lower(): side.to_json() for color, side in sides.items()},
        "turning_points": [move.number for move in turning_points(review.reviewed)],
        "moves": [_move(review, move) for move in review.moves if move.known],
    }


def _move(review: GameReview, move: MoveReview) -> dict[str, Any]:
    black = review.black(move.number)
    assert black is not None
    return {
        "number": move.number,
        "color": words.LETTERS[move.color],
        "move": coords.to_gtp(move.point, review.size),
        "black": _evaluation(black),
        "points_lost": round(move.points_lost, _DIGITS),
        "points_noise": round(move.points_noise, _DIGITS),
        "winrate_lost": round(move.winrate_lost, _DIGITS),
        "winrate_noise": round(move.winrate_noise, _DIGITS),
        "mistake": move.mistake,
        "grade": move.grade.name.lower(),
        "first_choice": move.first_choice,
        "comment": words.judgement(move, review.size),
        "by_rank": _by_rank(move, review.size),
        "candidates": [_candidate(candidate, review.size) for candidate in move.candidates],
    }


def _by_rank(move: MoveReview, size: int) -> dict[str, Any] | None:
    found = move.ranked
    if found is None:
        return None
    return {
        "rank": found.rank,
        "share": round(found.share, _DIGITS),
        "stronger": found.stronger,
        "stronger_share": round(found.stronger_share, _DIGITS),
        "favourite": coords.to_gtp(found.favourite, size),
        "typical": found.typical,
        "seen": [coords.to_gtp(point, size) for point in found.line],
    }


def _evaluation(found: Evaluation) -> dict[str, float]:
    return {name: round(value, _DIGITS) for name, value in asdict(found).items()}


def _candidate(candidate: Candidate, size: int) -> dict[str, Any]:
    return {
        "move": coords.to_gtp(candidate.point, size),
        "winrate": round(candidate.winrate, _DIGITS),
        "lead": round(candidate.lead, _DIGITS),
        "visits": candidate.visits,
        "prior": round(candidate.prior, _DIGITS),
        "line": [coords.to_gtp(point, size) for point in candidate.line],
    }
