"""Moves from a book: whether it knows enough of a position to answer without a search, and which of its replies is played.

Knows books and what a decision looks like; no clock and no options.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from goengine.board import coords
from goengine.board.position import Position
from goengine.book.book import UNLINKED, Book, Node, Reply
from goengine.book.canonical import from_place
from goengine.player.decision import Decision
from goengine.search.report import MoveInfo, SearchResult

LEAST_VISITS = 8000  # that a book's searches from a position on must have: with fewer, a search of its own knows as much
NEAR = 0.01  # win rate: replies that lose no more are as good as the best
_LONGEST = 10  # moves of an expected line


def from_book(book: Book, position: Position, generator: np.random.Generator | None = None) -> Decision | None:
    """The book's move for the player to move; None if it does not know the position, its komi or its rules well enough.

    generator: draws among replies that are as good as the best, and among the views of a symmetric position; None: the best.
    """
    columns = book.columns(position.rules, position.white_bonus())
    known = book.find(position) if columns else None
    if known is None or known[0].below * book.origin.visits < LEAST_VISITS:
        return None
    node, symmetries = known
    s = symmetries[0] if generator is None else int(generator.choice(symmetries))
    rated = _rated(book, node, columns)
    legal = [(reply, worth) for reply, worth in rated if position.is_legal(from_place(reply.move, s, book.size))]
    if not legal:
        return None
    order = 0 if generator is None else _drawn(book, legal, generator)
    chosen = from_place(legal[order][0].move, s, book.size)
    infos = [_info(book, position, (reply, worth), s, columns) for reply, worth in legal]
    result = _result(book, node, position, infos, columns).led_by(chosen)
    return Decision(position.to_play, chosen, False, replace(result, chosen=chosen), position, from_book=True)


def _mean(numbers: Sequence[float], columns: Sequence[int]) -> float:
    return sum(numbers[column] for column in columns) / len(columns)


def _worth(book: Book, reply: Reply, columns: Sequence[int]) -> float:
    return sum(book.worth(reply, column) for column in columns) / len(columns)


def _rated(book: Book, node: Node, columns: Sequence[int]) -> list[tuple[Reply, float]]:
    """The replies with their win rates, the best first."""
    return sorted(((reply, _worth(book, reply, columns)) for reply in node.replies), key=lambda pair: -pair[1])


def _drawn(book: Book, rated: Sequence[tuple[Reply, float]], generator: np.random.Generator) -> int:
    """The place of one of the replies near the best, the likelier the better it is and the more the book knows of it."""
    best = rated[0][1]
    near = [(reply, best - worth) for reply, worth in rated if best - worth <= NEAR]
    weights = np.array([(1.0 - loss / (2 * NEAR)) * _below(book, reply) for reply, loss in near])
    return int(generator.choice(len(near), p=weights / weights.sum()))


def _below(book: Book, reply: Reply) -> int:
    return 1 if reply.child == UNLINKED else book.nodes[reply.child].below


def _visits(book: Book, reply: Reply, columns: Sequence[int]) -> int:
    """Visits that the book spent on a reply: its node's search and all that follow, or as many as the search before gave it."""
    known = _below(book, reply) * book.origin.visits
    return known if reply.child != UNLINKED else round(_mean(reply.visits, columns))


def _info(book: Book, position: Position, rated: tuple[Reply, float], s: int, columns: Sequence[int]) -> MoveInfo:
    reply, worth = rated
    value, score = 2 * worth - 1, 0.0
    if reply.child != UNLINKED:
        score = -_mean(book.nodes[reply.child].score, columns)
    line = _line(book, position, from_place(reply.move, s, book.size), columns)
    return MoveInfo(
        point=line[0],
        visits=_visits(book, reply, columns),
        value=value,
        utility=value,
        score=score,
        score_stdev=0.0,
        prior=_mean(reply.visits, columns) / book.origin.visits,
        lcb=value,
        order=0,
        pv=line,
        pv_visits=(_visits(book, reply, columns),) * len(line),
    )


def _line(book: Book, position: Position, point: int, columns: Sequence[int]) -> tuple[int, ...]:
    """The move, and what the book expects after it."""
    line, position = [point], position.copy()
    while len(line) < _LONGEST:
        position.play(line[-1])
        known = book.find(position)
        if known is None or not known[0].replies:
            break
        following = from_place(_rated(book, known[0], columns)[0][0].move, known[1][0], book.size)
        if not position.is_legal(following):
            break
        line.append(following)
    return tuple(line)


def _result(book: Book, node: Node, position: Position, infos: Sequence[MoveInfo], columns: Sequence[int]) -> SearchResult:
    """What the book knows, as a search would tell it."""
    value, score = 2 * _mean(node.value, columns) - 1, _mean(node.score, columns)
    return SearchResult(
        visits=node.below * book.origin.visits,
        playouts=0,
        nodes=node.below,
        seconds=0.0,
        to_play=position.to_play,
        value=value,
        utility=value,
        score=score,
        score_stdev=0.0,
        net_value=2 * _mean(node.searched, columns) - 1,
        net_score=score,
        ownership=None,
        moves=tuple(replace(info, order=order) for order, info in enumerate(infos)),
        chosen=infos[0].point if infos else coords.PASS,
    )
