"""The command `goengine rank`: games in, the ranks of their players out."""

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from goengine.core.options import parse
from goengine.estimate.estimate_options import RankOptions

if TYPE_CHECKING:
    import threading

    from goengine.dataio.records import GameRecord
    from goengine.estimate.players import PlayerMoves
    from goengine.evaluators.ranked import RankedPolicy

INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 if a rank was estimated, 1 if none could be, 2 if it cannot begin, 130 if it was interrupted."""
    options = parse(RankOptions, argv, "goengine rank")
    from goengine.core.compiling import Notice, watching
    from goengine.core.stopping import told_to_stop
    from goengine.evaluators.base import EvaluatorError
    from goengine.player.human_play import load_policy
    from goengine.player.net_source import NetSource

    missing = [path for path in options.games if not path.exists()]
    if missing:
        _say(f"{missing[0]}: there is no such file")
        return 2
    with watching(Notice()), told_to_stop() as stop:
        nets = NetSource(threads=options.threads)
        try:
            policy = load_policy(nets, options.net)
        except (ValueError, OSError, EvaluatorError) as error:
            _say(str(error))
            return 2
        try:
            return _compare(options, policy, stop) if options.compare else _estimate(options, policy, stop)
        finally:
            nets.close()


def _say(text: str) -> None:
    sys.stderr.write(f"goengine rank: {text}\n")
    sys.stderr.flush()


def _estimate(options: RankOptions, policy: "RankedPolicy", stop: "threading.Event") -> int:
    from goengine.estimate.players import joined, readable_games, sides_of
    from goengine.estimate.report import to_json, to_text

    games = readable_games(options.games, _say)
    players = joined(sides_of(policy, games, options.opponents, _say, stop.is_set))
    if stop.is_set():
        _say("interrupted")
        return INTERRUPTED
    if not players:
        _say("there is no move of a person in these games")
        return 1
    found = list(players.values())
    if options.json:
        sys.stdout.write(json.dumps(to_json(found, options), indent=1, ensure_ascii=False) + "\n")
    else:
        sys.stdout.write(to_text(found, options))
    return 0 if any(player.moves >= options.least for player in found) else 1


def _compare(options: RankOptions, policy: "RankedPolicy", stop: "threading.Event") -> int:
    from goengine.core.canvas import PictureError
    from goengine.estimate import calibration as measure
    from goengine.estimate.posterior import Calibration, prior

    sides = _labelled(options, policy, stop)
    if options.fit and sides:
        found = measure.fit(sides)
        _say(f"fitted: temperature {found.temperature:g}, spread {found.spread:g} (in use: {Calibration()})")
    players = sides if options.together == 1 else measure.grouped(sides, options.together)
    points = measure.points(players, prior(options.prior), Calibration(), options.interval)
    if not points:
        _say("no game of these has a player of known rank and enough moves")
        return INTERRUPTED if stop.is_set() else 1
    figures = measure.summary(points)
    sys.stdout.write(json.dumps(figures, indent=1) + "\n" if options.json else measure.to_text(figures))
    if options.picture is not None:
        try:
            measure.draw(points, options.picture, f"{len(points)} players, {options.together} games each")
        except (PictureError, OSError) as error:
            _say(f"no picture: {error}")
            return 2
    return INTERRUPTED if stop.is_set() else 0


def _labelled(options: RankOptions, policy: "RankedPolicy", stop: "threading.Event") -> list["PlayerMoves"]:
    """Every side of known rank with enough moves, each for itself."""
    from goengine.core.progress import Progress
    from goengine.estimate.players import PlayerMoves, sides_of
    from goengine.ranks.scale import HIGHEST

    found: list[PlayerMoves] = []
    games = list(_chosen(options))
    done: set[int] = set()
    with Progress("games", 1.0) as progress:
        for name, record, side in sides_of(policy, games, options.opponents, lambda text: None, stop.is_set):
            player = PlayerMoves(f"{name} {side.color}")
            player.add(side, record.ranks()[side.color - 1])
            if player.label <= HIGHEST and player.moves >= options.least:
                found.append(player)
            done.add(id(record))
            progress.update(len(done) / len(games), f"{len(done)} of {len(games)} games")
    return found


def _chosen(options: RankOptions) -> "Iterator[tuple[str, GameRecord]]":
    """The games to compare: of the wanted parts, on 19x19, with a rank of a person in the record."""
    from goengine.estimate.players import SIZE, part_of, readable_games

    first, last = options.range()
    for path in options.games:
        count = 0
        for name, record in readable_games([path], _say):
            ranked: Any = [rank == rank for rank in record.ranks()]
            if record.size == SIZE and any(ranked) and first <= part_of(record) <= last:
                yield name, record
                count += 1
            if options.most is not None and count >= options.most:
                break
