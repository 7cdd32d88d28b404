"""The text of `kata-raw-nn`: what the net says of a position without search, in KataGo's layout, from White's side.

What this engine's nets do not give is printed as KataGo prints unknowns.
"""

from goengine.board.position import Position
from goengine.board.state import WHITE
from goengine.player.opinion import Opinion


def raw_text(opinion: Opinion, position: Position, color: int, view: int) -> str:
    """One block, for one symmetry, as the net of this opinion has it."""
    size = position.size
    answer = opinion.evaluation(position, color, view)
    policy = opinion.policy(position, color, view)
    sign = 1.0 if color == WHITE else -1.0
    win = (1.0 + sign * float(answer.value[0])) / 2
    lead, stdev = sign * float(answer.score[0]), float(answer.score_stdev[0])
    lines = [
        f"symmetry {view}",
        f"whiteWin {win:.6f}",
        f"whiteLoss {1 - win:.6f}",
        "noResult 0.000000",
        f"whiteLead {lead:.3f}",
        f"whiteScoreSelfplay {lead:.3f}",
        f"whiteScoreSelfplaySq {lead * lead + stdev * stdev:.3f}",
        "varTimeLeft -1.000",
        "shorttermWinlossError -1.000",
        "shorttermScoreError -1.000",
        "policy",
    ]
    cells = ["    NAN" if share != share else f"{share:.6f}" for share in map(float, policy)]
    lines += _rows(cells[:-1], size)
    lines += [f"policyPass {cells[-1]}", "whiteOwnership"]
    lines += _rows([f"{sign * float(owner):.7f}" for owner in answer.ownership[0]], size)
    return "\n".join(lines)


def _rows(cells: list[str], size: int) -> list[str]:
    return [" ".join(cells[row * size : (row + 1) * size]) for row in range(size)]
