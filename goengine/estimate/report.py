"""Estimates as a table and as JSON. Knows players and ranks."""

from collections.abc import Sequence
from typing import Any

from goengine.core.tables import table
from goengine.estimate.estimate_options import RankOptions
from goengine.estimate.players import PlayerMoves
from goengine.estimate.posterior import Calibration, prior
from goengine.ranks.scale import rank_name


def to_text(players: Sequence[PlayerMoves], options: RankOptions) -> str:
    """A line for each player, those of most moves first."""
    rows = []
    for player in sorted(players, key=lambda player: -player.moves):
        said = player.label
        label = rank_name(said) if said == said else ""
        if player.moves < options.least:
            rows.append(
                (player.name, "too short", f"{player.moves} of {options.least} moves", player.games, player.moves, label)
            )
            continue
        found = player.estimate(prior(options.prior), Calibration(), options.interval)
        between = f"{rank_name(found.low)} to {rank_name(found.high)}"
        rows.append((player.name, rank_name(found.rank), between, found.games, found.moves, label))
    return table(
        rows, header=("player", "rank", f"{100 * options.interval:.0f} % interval", "games", "moves", "in record"), left=3
    )


def to_json(players: Sequence[PlayerMoves], options: RankOptions) -> dict[str, Any]:
    """Everything that is known; numbers of ranks are on the scale of docs/ranks.md: 1k is 0, 1d is 1."""
    return {"interval": options.interval, "prior": options.prior, "players": [_player(player, options) for player in players]}


def _player(player: PlayerMoves, options: RankOptions) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": player.name, "games": player.games, "moves": player.moves}
    facts["in_record"] = rank_name(player.label) if player.label == player.label else None
    if player.moves < options.least:
        return facts | {"rank": None, "reason": f"too short: {player.moves} moves, {options.least} are needed"}
    found = player.estimate(prior(options.prior), Calibration(), options.interval)
    numbers = {"value": found.rank, "low_value": found.low, "high_value": found.high}
    names = {"rank": rank_name(found.rank), "low": rank_name(found.low), "high": rank_name(found.high)}
    return facts | names | {key: round(value, 2) for key, value in numbers.items()}
