"""What a review says to people, in a sentence for each move. Plain ASCII, so that it fits into a file of any encoding."""

from goengine.board import coords
from goengine.board.state import BLACK
from goengine.review.judgement import Candidate, Evaluation, Grade, MoveReview, Reviewed

GRADES = {Grade.FINE: "", Grade.DOUBTFUL: "doubtful", Grade.BAD: "bad", Grade.BLUNDER: "blunder"}
LETTERS = {1: "B", 2: "W"}


def percent(share: float) -> str:
    """A share as whole per cent."""
    return f"{100 * share:.0f} %"


def points(value: float) -> str:
    """1 point, 2.5 points."""
    text = f"{value:.1f}"
    return f"{text.removesuffix('.0')} point{'' if text == '1.0' else 's'}"


def lead(black: float) -> str:
    """Who leads, from Black's lead."""
    return "even" if abs(black) < 0.05 else f"{'B' if black > 0 else 'W'}+{abs(black):.1f}"


def standing(black: Evaluation) -> str:
    """How the game stands."""
    return f"B wins {percent(black.winrate)}, {lead(black.lead)}"


def judgement(move: MoveReview, size: int) -> str:
    """The sentence about a move; "" where it was not reviewed."""
    if not move.known:
        return ""
    best = move.best
    assert best is not None and move.before is not None and move.after is not None
    who, name = LETTERS[move.color], coords.to_gtp(best.point, size)
    if move.mistake:
        left, could = percent(1 - move.after.winrate), percent(move.before.winrate)
        chances = f"(win rate {left} either way)" if left == could else f"(win rate {left} instead of {could})"
        if move.counted_points >= 0.05:
            return f"{who} lost {points(move.counted_points)}: {name} was better {chances}"
        return f"{who} lost chances: {name} was better {chances}"
    if move.first_choice:
        return f"{who} found the only good move" if move.tesuji else f"{who} played the engine's first choice"
    if move.interesting:
        return f"{who} found a move that the engine had hardly thought of"
    lost = max(0.0, move.points_lost)
    return (
        f"{who} played as well as {name}, as far as this search can tell (difference {points(lost)}, +-{move.points_noise:.1f})"
    )


def by_rank(move: MoveReview) -> str:
    """How likely people of the player's rank, and stronger ones, play the move; "" where that was not looked at."""
    found = move.ranked
    if found is None:
        return ""
    shares = f"{found.rank}: {share(found.share)} play this, {found.stronger}: {share(found.stronger_share)}"
    if not move.mistake:
        return shares
    return f"{shares} - {'a mistake typical of the rank' if found.typical else 'a slip: the rank knows better'}"


def share(value: float) -> str:
    """A share as per cent, small ones too."""
    return f"{100 * value:.0f} %" if value >= 0.095 else f"{100 * value:.1f} %" if value >= 0.001 else "next to none"


def seen_text(move: MoveReview, size: int) -> str:
    """What a stronger player would have seen; "" where there is none."""
    if move.ranked is None or not move.ranked.line:
        return ""
    return f"{move.ranked.stronger} would have seen: " + " ".join(coords.to_gtp(point, size) for point in move.ranked.line)


def line_text(candidate: Candidate, size: int, most: int = 8) -> str:
    """The moves of a line."""
    return " ".join(coords.to_gtp(point, size) for point in candidate.line[:most])


def move_name(move: MoveReview, size: int) -> str:
    """37 B D4."""
    return f"{move.number} {LETTERS[move.color]} {coords.to_gtp(move.point, size)}"


def extent(review: Reviewed) -> str:
    """What was reviewed, and how."""
    known = review.reviewed
    if not known:
        what = "no move"
    elif len(known) == len(review.moves):
        what = f"all {len(known)} moves" if len(known) > 1 else "the one move"
    else:
        what = f"moves {known[0].number} to {known[-1].number}" if len(known) > 1 else f"move {known[0].number}"
        if len(known) < known[-1].number - known[0].number + 1:
            what = f"{len(known)} of " + what
    rules = review.rules
    return f"{what} with {review.net}, {review.visits} visits; {rules.name()} rules, komi {rules.komi:g}" + (
        "; stopped before the end" if review.stopped else ""
    )


def to_black(value: float, color: int) -> float:
    """A lead of a player as Black's."""
    return value if color == BLACK else -value
