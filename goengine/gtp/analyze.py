"""Search reports as the lines that analysing clients read: the dialects `lz`, `kata` and `cgos`, and the commands' arguments.

Everything is seen from the side to move. A line holds a whole report. Floats always have a decimal point, never an exponent and
never nan: clients guess the dialect from the dot. `pv` is the last key of a move unless more was asked for, because Sabaki
takes all that follows it for moves. Knows how a report is written, not how it comes about.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from goengine.board.coords import to_gtp
from goengine.gtp import arguments
from goengine.gtp.protocol import GtpError
from goengine.search.params import Restriction
from goengine.search.report import MoveInfo, SearchResult, finite, winrate

DEFAULT_INTERVAL = 1.0  # seconds between reports where the client names none
MIN_INTERVAL = 0.02
_OWNERSHIP_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+"


@dataclass(frozen=True)
class AnalyzeArguments:
    """`[color] [interval] {key value}` of an analysis command."""

    color: int | None = None
    interval: float = DEFAULT_INTERVAL  # seconds
    minmoves: int = 0
    maxmoves: int | None = None
    avoid: tuple[tuple[int, int, int], ...] = ()  # (color, point, until this many plies deep)
    allow: tuple[tuple[int, int, int], ...] = ()
    flags: frozenset[str] = field(default_factory=frozenset)


# Keys with a boolean value, in lower case as they are looked up.
_FLAGS = (
    "rootinfo",
    "ownership",
    "ownershipstdev",
    "movesownership",
    "movesownershipstdev",
    "pvvisits",
    "pvedgevisits",
    "noresultvalue",
)


_OF_THE_TREE = {
    "ownershipstdev": "ownershipStdev",
    "movesownership": "movesOwnership",
    "movesownershipstdev": "movesOwnershipStdev",
}


def check_flags(wanted: AnalyzeArguments, dialect: str, ownership: bool) -> None:
    """Raises GtpError if a key asks for what the reports of this dialect would not hold.

    ownership: whether the search keeps an ownership that can be believed; without it only the engine's own map is there.
    """
    if wanted.flags and dialect != "kata":
        raise GtpError(f"syntax error: the keys {', '.join(sorted(wanted.flags))} go with the kata commands only")
    if "noresultvalue" in wanted.flags:
        raise GtpError("noResultValue: no net of this engine tells how likely a game without result is")
    missing = [name for key, name in _OF_THE_TREE.items() if key in wanted.flags and not ownership]
    if missing:
        raise GtpError(f"{', '.join(missing)}: the ownership of this net is not reliable enough; there is only `ownership`")


def parse_arguments(words: list[str], size: int) -> AnalyzeArguments:
    """The arguments of an analysis command. Raises GtpError that names what cannot be understood."""
    result, rest = AnalyzeArguments(), list(words)
    if rest and arguments.is_color(rest[0]):
        result = replace(result, color=arguments.color(rest))
        del rest[0]
    if rest and arguments.parse_number(rest[0]) is not None:
        result = replace(result, interval=_interval(rest[0]))
        del rest[0]
    while rest:
        key = rest.pop(0).lower()
        if key in ("avoid", "allow"):
            result = replace(result, **{key: getattr(result, key) + _restriction(rest, size, key)})
            del rest[:3]
            continue
        result = _with_key(result, key, rest)
        del rest[0]
    if result.allow and result.avoid:
        raise GtpError("syntax error: avoid and allow exclude each other")
    return result


def _with_key(result: AnalyzeArguments, key: str, rest: list[str]) -> AnalyzeArguments:
    if key == "interval":
        return replace(result, interval=_interval(arguments.word(rest, 0, "the interval")))
    if key in ("minmoves", "maxmoves"):
        count = arguments.integer(rest, 0, key)
        if count < 0:
            raise GtpError(f"syntax error: {key} must not be negative, but is {count}")
        return replace(result, **{key: count})
    if key in _FLAGS:
        chosen = {key} if arguments.flag(rest, 0, key) else set()
        return replace(result, flags=(result.flags - {key}) | chosen)
    raise GtpError(f"syntax error: unknown key '{key}'")


def _interval(text: str) -> float:
    """Seconds of a number of centiseconds; any size is accepted."""
    value = arguments.parse_number(text)
    if value is None or value < 0:
        raise GtpError(f"syntax error: the interval '{text}' is not a number of centiseconds")
    return min(max(value / 100, MIN_INTERVAL), 1e9)


def _restriction(rest: list[str], size: int, key: str) -> tuple[tuple[int, int, int], ...]:
    """`color vertex,vertex,... depth`."""
    side = arguments.color(rest)
    points = [arguments.vertex(text, size) for text in arguments.word(rest, 1, "the vertices").split(",") if text]
    depth = arguments.integer(rest, 2, "the depth")
    if depth < 1:
        raise GtpError(f"syntax error: the depth of {key} must be at least 1")
    return tuple((side, point, depth) for point in points)


def restrictions(wanted: AnalyzeArguments) -> list[Restriction]:
    """`avoid` and `allow` as the search takes them."""
    groups: dict[tuple[int, int, bool], set[int]] = {}
    for points, allow in ((wanted.avoid, False), (wanted.allow, True)):
        for color, point, depth in points:
            groups.setdefault((color, depth, allow), set()).add(point)
    return [
        Restriction(color=color, points=frozenset(points), depth=depth, allow=allow)
        for (color, depth, allow), points in sorted(groups.items())
    ]


def _float(value: float) -> str:
    return f"{finite(value):.6f}"


def _floats(values: Iterable[float]) -> str:
    return " ".join(_float(value) for value in values)


def shown_moves(result: SearchResult, wanted: AnalyzeArguments) -> Sequence[MoveInfo]:
    """The moves of a report in order, at most `maxmoves`; those never visited only to reach `minmoves`, which is 1 at least."""
    visited = [move for move in result.moves if move.visits > 0]
    least = max(1, wanted.minmoves)
    moves = visited if len(visited) >= least else result.moves[:least]
    return moves if wanted.maxmoves is None else moves[: wanted.maxmoves]


def _pv(move: MoveInfo, size: int) -> str:
    return " ".join(to_gtp(p, size) for p in move.pv or (move.point,))


def lz_line(result: SearchResult, size: int, wanted: AnalyzeArguments) -> str:
    """One report in Leela Zero's dialect: chances are integers in 1/10000."""

    def tenthousandths(chance: float) -> int:
        return round(10000 * chance)

    return " ".join(
        f"info move {to_gtp(m.point, size)} visits {m.visits} winrate {tenthousandths(winrate(m.value))} "
        f"prior {tenthousandths(finite(m.prior))} lcb {tenthousandths(winrate(m.lcb))} order {order} pv {_pv(m, size)}"
        for order, m in enumerate(shown_moves(result, wanted))
    )


def kata_line(result: SearchResult, size: int, wanted: AnalyzeArguments) -> str:
    """One report in KataGo's dialect, which Sabaki's `analyze` shares."""
    parts = [_kata_move(move, order, size, wanted) for order, move in enumerate(shown_moves(result, wanted))]
    if "rootinfo" in wanted.flags:
        parts.append(f"rootInfo visits {result.visits} {_kata_values(result)} weight {_float(result.visits)}")
    if "ownership" in wanted.flags and result.ownership is not None:
        parts.append("ownership " + _floats(result.ownership))
    if "ownershipstdev" in wanted.flags and result.ownership_stdev is not None:
        parts.append("ownershipStdev " + _floats(result.ownership_stdev))
    return " ".join(parts)


def _kata_values(info: MoveInfo | SearchResult) -> str:
    score = _float(info.score)
    return (
        f"utility {_float(info.utility)} winrate {_float(winrate(info.value))} scoreMean {score} "
        f"scoreStdev {_float(info.score_stdev)} scoreLead {score} scoreSelfplay {score}"
    )


def _kata_move(move: MoveInfo, order: int, size: int, wanted: AnalyzeArguments) -> str:
    twin = move.symmetry_of
    text = (
        f"info move {to_gtp(move.point, size)} visits {move.visits} edgeVisits {move.visits} {_kata_values(move)} "
        f"prior {_float(move.prior)} lcb {_float(winrate(move.lcb))} utilityLcb {_float(move.lcb)} "
        f"weight {_float(move.visits)} "
        + (f"isSymmetryOf {to_gtp(twin, size)} " if twin is not None else "")
        + f"order {order} pv {_pv(move, size)}"
    )
    for key, name in (("pvvisits", "pvVisits"), ("pvedgevisits", "pvEdgeVisits")):
        if key in wanted.flags:
            visits = list(move.pv_visits) or [move.visits]
            text += f" {name} " + " ".join(str(int(v)) for v in visits)
    if "movesownership" in wanted.flags and move.ownership is not None:
        text += " movesOwnership " + _floats(move.ownership)
    if "movesownershipstdev" in wanted.flags and move.ownership_stdev is not None:
        text += " movesOwnershipStdev " + _floats(move.ownership_stdev)
    return text


def cgos_line(result: SearchResult, size: int, wanted: AnalyzeArguments) -> str:
    """One report as the JSON object that the Computer Go Server shows beside a game. The `pv` leaves out the move itself."""
    moves = [
        {
            "move": to_gtp(move.point, size),
            "winrate": round(winrate(move.value), 4),
            "score": round(finite(move.score), 2),
            "prior": round(finite(move.prior), 4),
            "pv": " ".join(to_gtp(p, size) for p in list(move.pv)[1:]),
            "visits": int(move.visits),
        }
        for move in shown_moves(result, replace(wanted, maxmoves=10))
    ]
    ownership = "".join(_OWNERSHIP_LETTERS[_letter(value)] for value in (() if result.ownership is None else result.ownership))
    report = {
        "winrate": round(winrate(result.value), 4),
        "score": round(finite(result.score), 2),
        "visits": int(result.visits),
        "moves": moves,
        "ownership": ownership,
    }
    return json.dumps(report, separators=(",", ":"))


def _letter(value: float) -> int:
    return min(62, max(0, round((finite(value) + 1) / 2 * 62)))
