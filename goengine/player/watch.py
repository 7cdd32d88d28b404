"""A search that somebody watches: what they ask for, and the points that they are told.

Knows searches, and the judgement that corrects their points.
"""

from collections.abc import Callable, Sequence
from typing import TypedDict

from goengine.board.position import Position
from goengine.player.opinion import Opinion
from goengine.search.params import Limits, Restriction
from goengine.search.report import Ownership, SearchResult
from goengine.search.search import Search

FALLBACKS = 5  # moves that a search names at least, for the case that those it visited will not do


class Watch(TypedDict, total=False):
    """How a caller looks at a search under way, and what it forbids; every key may be left out."""

    should_stop: Callable[[], bool]  # asked between batches
    on_report: Callable[[SearchResult], None]
    report_every: float  # seconds
    restrictions: Sequence[Restriction]
    ownership: Ownership  # whether reports hold the ownership, and of what
    min_moves: int  # that reports name at least


def run_search(search: Search, opinion: Opinion, position: Position, limits: Limits, watch: Watch) -> SearchResult:
    """Search; reports tell points that agree with the root's lead, the result is as the search found it."""
    report = watch.get("on_report")
    return search.run(
        limits,
        watch.get("should_stop"),
        None if report is None else lambda result: report(with_lead(result, opinion, position)),
        watch.get("report_every", 1.0),
        ownership=watch.get("ownership", False),
        min_moves=max(watch.get("min_moves", 0), FALLBACKS),
    )


def with_lead(result: SearchResult, opinion: Opinion, position: Position) -> SearchResult:
    """The same result in points that agree with the root's lead."""
    return result.with_lead(opinion.lead(position, result.net_score))
