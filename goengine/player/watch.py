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
    """Search, and tell points that agree with the root's lead; this is asked for when there is something to tell."""
    lead: list[float] = []

    def told(result: SearchResult) -> SearchResult:
        if not lead:
            lead.append(opinion.lead(position, result.net_score))
        return result.with_lead(lead[0])

    report = watch.get("on_report")
    found = search.run(
        limits,
        watch.get("should_stop"),
        None if report is None else lambda result: report(told(result)),
        watch.get("report_every", 1.0),
        ownership=watch.get("ownership", False),
        min_moves=max(watch.get("min_moves", 0), FALLBACKS),
    )
    return told(found)
