"""Play games against GNU Go 3.8 and keep the record: an SGF per game, a summary in JSON and in words.

    python benchmarks/gnugo_match.py --games 20 --size 19 --visits 100 --folder benchmarks/gnugo-19x19-100-visits

Colours alternate. The engine is started as users start it, over GTP. Every move is checked on our own board; an illegal move
or a dead program loses the game. Area scoring; GNU Go, the opponent, says which stones are dead, and our board counts.
A match that was stopped goes on where it was: games whose SGF is there are not played again.
"""

import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from goengine import coords, sgf
from goengine.board.position import IllegalMove, Position
from goengine.board.state import BLACK, WHITE
from goengine.gtp.controller import Controller, ControllerError
from goengine.options import option, parse
from goengine.records import BLACK_WINS, FORFEIT, NO_RESULT, RESIGNATION, SCORE, UNKNOWN, WHITE_WINS, GameRecord
from goengine.rules import Rules

ROOT = Path(__file__).resolve().parent.parent
LETTER = {BLACK: "B", WHITE: "W"}


@dataclass(frozen=True)
class Match:
    """A match against GNU Go."""

    folder: Path = option(help="where records and summary go")
    games: int = option(20, "number of games")
    size: int = option(19, "board size")
    komi: float = option(7.5, "komi")
    visits: int | None = option(None, "visits per move of the engine")
    time: float | None = option(None, "seconds per move of the engine")
    net: str | None = option(None, "net of the engine; its default if not given")
    level: int = option(10, "level of GNU Go")
    threads: int = option(1, "threads of the engine")
    parallel: int = option(2, "games at the same time")
    seed: int = option(1, "of both programs; the game's number is added")

    def engine(self, game: int) -> list[str]:
        """The engine's command line."""
        words = [
            sys.executable,
            str(ROOT / "gtp_server.py"),
            "--rules",
            "chinese",
            "--threads",
            str(self.threads),
            "--seed",
            str(self.seed + game),
        ]
        for name in ("visits", "time", "net"):
            if (value := getattr(self, name)) is not None:
                words += [f"--{name}", str(value)]
        return [*words, "--quiet"]

    def gnugo(self, game: int) -> list[str]:
        """GNU Go's command line."""
        program = shutil.which("gnugo") or "/usr/games/gnugo"
        return [program, "--mode", "gtp", "--level", str(self.level), "--chinese-rules", "--seed", str(self.seed + game)]


def play_game(match: Match, game: int) -> dict:
    """Play one game, write its SGF, return its line of the summary."""
    ours = BLACK if game % 2 == 0 else WHITE
    position = Position(match.size, Rules.preset("chinese").with_komi(match.komi))
    began, reason, names = time.monotonic(), "", {}
    with Controller(match.engine(game), name="goengine") as engine, Controller(match.gnugo(game), name="GNU Go") as gnugo:
        players = {ours: engine, 3 - ours: gnugo}
        try:
            for program in players.values():
                for line in (f"boardsize {match.size}", "clear_board", f"komi {match.komi}"):
                    program.ask(line)
            names = {color: f"{program.ask('name')} {program.ask('version')}" for color, program in players.items()}
            winner, reason = play_out(position, players)
            if not winner:
                dead = [coords.from_gtp(v, match.size) for v in gnugo.ask("final_status_list dead").split()]
                margin = position.score(dead)
                winner, reason = (WHITE if margin > 0 else BLACK), f"{abs(margin):g}"
                verdicts = {program.name: program.ask("final_score") for program in players.values()}
            else:
                verdicts = {}
        except ControllerError as error:
            winner, verdicts = 0, {}
            reason = f"broken off: {error}"
        seconds = {program.name: round(program.seconds, 1) for program in players.values()}
    result = f"{LETTER[winner]}+{reason}" if winner else "Void"
    line = {
        "game": game,
        "engine": LETTER[ours],
        "won": winner == ours,
        "result": result,
        "moves": len(position.moves),
        "seconds": seconds,
        "final_score": verdicts,
        "wall": round(time.monotonic() - began, 1),
    }
    write_sgf(match.folder / f"game-{game:03}.sgf", position, names, winner, reason)
    return line


def play_out(position: Position, players: dict[int, Controller]) -> tuple[int, str]:
    """Ask for moves until the game is over. Returns (winner, reason), or (0, "") if it must be counted."""
    passes, color = 0, BLACK
    while passes < 2 and len(position.moves) < 3 * position.size**2:
        answer = players[color].ask(f"genmove {LETTER[color]}", timeout=300).lower()
        if answer == "resign":
            return 3 - color, "R"
        try:
            point = coords.from_gtp(answer, position.size)
            position.play(point, color)
        except (ValueError, IllegalMove):
            return 3 - color, "Forfeit"
        players[3 - color].ask(f"play {LETTER[color]} {answer}")
        passes = passes + 1 if point == coords.PASS else 0
        color = 3 - color
    return 0, ""


def write_sgf(path: Path, position: Position, names: dict[int, str], winner: int, reason: str) -> None:
    """Keep the game. ``reason`` is R, Forfeit, the margin, or why there is no winner."""
    counted = reason.replace(".", "").isdigit()
    record = GameRecord(
        size=position.size,
        komi=position.rules.komi,
        rules="Chinese",
        moves=tuple((color, coords.to_index(point, position.size)) for color, point in position.moves),
        outcome={BLACK: BLACK_WINS, WHITE: WHITE_WINS}.get(winner, NO_RESULT),
        margin=float(reason) * (1 if winner == BLACK else -1) if counted else None,
        ending=SCORE if counted else {"R": RESIGNATION, "Forfeit": FORFEIT}.get(reason, UNKNOWN),
        black=names.get(BLACK, ""),
        white=names.get(WHITE, ""),
    )
    path.write_bytes(sgf.write_game(record))


def main() -> int:
    """Play the games that are missing, then write the summary."""
    match = parse(Match, sys.argv[1:], "gnugo_match")
    match.folder.mkdir(parents=True, exist_ok=True)
    log = match.folder / "games.jsonl"
    lines = [json.loads(text) for text in log.read_text().splitlines()] if log.exists() else []
    missing = [game for game in range(match.games) if game not in {line["game"] for line in lines}]
    with ThreadPoolExecutor(match.parallel) as pool:
        for line in pool.map(lambda game: play_game(match, game), missing):
            lines.append(line)
            with log.open("a") as file:
                file.write(json.dumps(line) + "\n")
            won = sum(x["won"] for x in lines)
            print(
                f"game {line['game']}: {line['result']}, {line['moves']} moves; engine {line['engine']}; {won}/{len(lines)} won"
            )
            sys.stdout.flush()
    won = sum(line["won"] for line in lines)
    summary = {
        "opponent": f"GNU Go 3.8 level {match.level}",
        "size": match.size,
        "komi": match.komi,
        "visits": match.visits,
        "time": match.time,
        "net": match.net or "default",
        "games": len(lines),
        "won": won,
        "won_as_black": sum(x["won"] for x in lines if x["engine"] == "B"),
        "won_as_white": sum(x["won"] for x in lines if x["engine"] == "W"),
    }
    (match.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    print(f"won {won} of {len(lines)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
