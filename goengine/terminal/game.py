"""The loop of ``goengine play``: one line of a person's, one answer.

Knows the words a person may type and how to tell what happened; see `goengine.terminal.play_options` for the options.
"""

import sys
import time
from collections.abc import Callable
from pathlib import Path

from goengine.board import coords, drawing, handicap
from goengine.board.position import IllegalMove
from goengine.board.state import BLACK, WHITE
from goengine.player.engine import Engine
from goengine.player.engine_options import EngineOptions
from goengine.search.report import MoveInfo
from goengine.terminal.play_options import PlayOptions

HELP = """A move is typed as on the board's edge: D4. Besides:
  pass      give up the turn; two passes end the game        undo     take back your last move and the answer
  hint      the moves that the engine looks at               score    who is ahead, as the engine sees it
  save F    write the game to the SGF file F                 resign   give up
  board     draw the board again                             help     this text
  quit      leave; an unfinished game is saved"""

NAMES = {BLACK: "Black", WHITE: "White"}
LETTERS = {BLACK: "B", WHITE: "W"}
HINTS = 5


class TerminalGame:
    """A game between a person and the engine."""

    def __init__(self, engine: Engine, person: int) -> None:
        self.engine, self.person = engine, person
        self.over = self.saved = False
        self.path: Path | None = None  # where the person had it saved
        self.result = ""  # as SGF writes it, once the game is over
        self.palette = drawing.palette_of(sys.stdout)
        self._words: dict[str, Callable[[str], object]] = {
            "undo": self._undo,
            "hint": self._hint,
            "score": self._score,
            "save": self._save,
            "resign": self._resign,
            "board": lambda _: self._draw(),
            "help": lambda _: _say(HELP),
        }

    @staticmethod
    def start(options: PlayOptions) -> "TerminalGame":
        """Load the engine and set up the game. Raises ValueError, OSError or EvaluatorError if something is wrong."""
        player = EngineOptions(
            visits=options.visits,
            time=options.time,
            level=options.level,
            rank=options.rank,
            rank_net=options.rank_net,
            book=options.book,
        )
        komi = 0.5 if options.komi is None and options.handicap else options.komi
        engine = Engine.load(
            options.net, player, boardsize=options.size, rules=options.rules, komi=komi, threads=options.threads
        )
        if problem := engine.take_book_problem():
            sys.stderr.write(f"goengine play: {problem}\n")
        if options.load is not None:
            engine.load_sgf(options.load)
        elif options.handicap:
            engine.place_handicap(handicap.fixed_points(options.size, options.handicap))
        return TerminalGame(engine, BLACK if options.color.lower().startswith("b") else WHITE)

    @property
    def position(self):
        """The position as it stands."""
        return self.engine.position

    def run(self) -> int:
        """Play until the game is over or the person leaves. Returns the exit status."""
        _say(f"You are {NAMES[self.person]}. Type a move such as D4, or help.")
        try:
            if self.position.to_play == self.person:
                self._draw()
            while not self.over:
                if self.position.to_play == self.person:
                    line = input(f"{NAMES[self.person]} to play: ").strip()
                    if line.lower() in ("quit", "exit", "q"):
                        break
                    self._obey(line)
                else:
                    self._answer()
        except (EOFError, KeyboardInterrupt):
            _say("")
        finally:
            self._leave()
        return 0

    def _obey(self, line: str) -> None:
        """Do what the person typed; say so if it cannot be done."""
        word, _, rest = line.partition(" ")
        if not word:
            return
        if action := self._words.get(word.lower()):
            action(rest.strip())
            return
        try:
            point = coords.from_gtp(word, self.position.size)
            self.engine.play(self.person, point)
        except IllegalMove as error:
            _say(f"That move is not possible: {error}.")
            return
        except ValueError as error:
            _say(f"{error}. Type help for what can be typed.")
            return
        self.saved = False
        self._check_end()

    def _answer(self) -> None:
        """The engine's turn."""
        _say("thinking ...")
        color = self.position.to_play
        decision = self.engine.genmove(color)
        self.saved = False
        if decision.resign:
            self.over, self.result = True, f"{LETTERS[self.person]}+R"
            _say(f"{NAMES[color]} resigns. You win.")
            return
        self._draw()
        _say(f"{NAMES[color]} plays {coords.to_gtp(decision.point, self.position.size)} {_chances(decision.search.value)}")
        self._check_end()

    def _check_end(self) -> None:
        if self.position.is_over():
            self.over, self.result = True, self._score("")

    def _undo(self, _: str) -> None:
        count = 2 if len(self.position.moves) >= 2 else len(self.position.moves)
        if count == 0:
            _say("There is nothing to take back.")
            return
        self.engine.undo(count)
        if self.position.to_play != self.person and self.position.moves:
            self.engine.undo(1)
        self._draw()

    def _hint(self, _: str) -> None:
        result = self.engine.choose(self.person).search
        best = result.moves[:HINTS]
        marks = {move.point: str(order + 1) for order, move in enumerate(best)}
        _say(drawing.terminal(self.position, self.palette, marks))
        for order, move in enumerate(best):
            _say(f"  {order + 1}: {_describe(move, self.position.size)}")

    def _score(self, _: str) -> str:
        dead = self.engine.final_status().dead_points
        white = -self.engine.score()
        marks = f", with {len(dead)} dead stones taken off" if dead else ""
        leader = "Nobody is ahead" if white == 0 else f"{NAMES[WHITE if white > 0 else BLACK]} is ahead by {abs(white):g}"
        _say(f"{leader}{marks}.")
        return "0" if white == 0 else f"{LETTERS[WHITE if white > 0 else BLACK]}+{abs(white):g}"

    def _save(self, rest: str) -> None:
        path = Path(rest) if rest else self.path or unfinished_name()
        try:
            if path.suffix != ".sgf":
                path = path.with_name(path.name + ".sgf")
            path.write_text(self.engine.to_sgf(self.result), encoding="utf-8")
        except OSError as error:
            _say(f"The game cannot be saved to {path}: {error.strerror or error}.")
            return
        except ValueError:  # "." or "/", and what no file system takes
            _say(f"'{rest}' is not the name of a file.")
            return
        self.saved, self.path = True, path
        _say(f"Saved to {path}.")

    def _resign(self, _: str) -> None:
        self.over, self.result = True, f"{LETTERS[3 - self.person]}+R"
        _say(f"{NAMES[3 - self.person]} wins by resignation.")

    def _leave(self) -> None:
        if self.position.moves and (self.over or not self.saved):
            self._save("")
        self.engine.close()

    @property
    def to_review(self) -> Path | None:
        """The file of a game that is over, which a review may be offered for."""
        return self.path if self.over and self.saved and self.position.moves else None

    def _draw(self) -> None:
        position = self.position
        _say("\n" + drawing.terminal(position, self.palette))
        _say(
            f"move {len(position.moves)}   captured: {position.captured(WHITE)} white, {position.captured(BLACK)} black"
            f"   komi {position.rules.komi:g}"
        )


def _describe(move: MoveInfo, size: int) -> str:
    line = " ".join(coords.to_gtp(point, size) for point in move.pv[:6])
    return f"{coords.to_gtp(move.point, size):4} {(move.value + 1) * 50:5.1f} %  {move.visits} visits   {line}"


def _chances(value: float) -> str:
    return f"(thinks that it wins with {(value + 1) * 50:.0f} %)"


def _say(text: str) -> None:
    """Tell the person something. Standard output is this command's result."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def unfinished_name() -> Path:
    """Where a game goes that nobody saved."""
    return Path(time.strftime("goengine-%Y%m%d-%H%M%S.sgf"))
