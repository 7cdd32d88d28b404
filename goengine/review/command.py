"""The command `goengine review`: files in, reviews beside them, tables on standard output."""

import json
import lzma
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from goengine.core.options import parse
from goengine.review.review_options import ReviewOptions

if TYPE_CHECKING:
    import threading

    from goengine.analysis.batch import BatchAnalysis
    from goengine.dataio.records import GameRecord
    from goengine.player.net_source import NetSource
    from goengine.review.by_rank import RankedNets
    from goengine.review.files import Written
    from goengine.review.reviewer import GameReview
    from goengine.review.source import GameText

VISITS, MOST_VISITS = 100, 1_000_000
INTERRUPTED = 130


def main(argv: list[str] | None = None) -> int:
    """Run the command: 0 if all games were reviewed, 1 if some could not be, 2 if none can be, 130 if it was interrupted."""
    options = parse(ReviewOptions, argv, "goengine review")
    from goengine.core.compiling import Notice, watching
    from goengine.core.stopping import told_to_stop

    with watching(Notice()), told_to_stop() as stop:
        return Run(options, stop).run()


def _say(text: str) -> None:
    sys.stderr.write(f"goengine review: {text}\n")
    sys.stderr.flush()


class Run:
    """One call of the command."""

    def __init__(self, options: ReviewOptions, stop: "threading.Event"):
        self.options, self.stop = options, stop
        self.started = time.monotonic()
        self.done: list[dict[str, Any]] = []
        self.failed = 0
        self.ranked: RankedNets | None = None
        self._stems: dict[Path, int] = {}

    def run(self) -> int:
        """Review all files. Returns the exit status."""
        from goengine.analysis.batch import BatchAnalysis
        from goengine.board.rules import Rules
        from goengine.evaluators.base import EvaluatorError
        from goengine.player.net_source import NetSource

        try:
            if self.options.rules is not None:
                Rules.parse(self.options.rules)
            nets = NetSource(self.options.net, threads=self.options.threads, by_key=True)
            if self.options.net is not None:
                nets.get(19)
        except (ValueError, OSError, EvaluatorError) as error:
            _say(str(error))
            return 2
        try:
            self._check_ranks()
            if self.options.rank_net != "auto" or self.options.ranks not in ("record", "none"):
                self.ranked = self._ranked_nets(nets)
        except (ValueError, OSError, EvaluatorError) as error:
            _say(str(error))
            return 2
        with BatchAnalysis(nets) as analysis:
            for number, path in enumerate(self.options.games):
                if self.stop.is_set():
                    break
                self._file(path, len(self.options.games) - number, analysis)
        nets.close()
        if self.options.json:
            sys.stdout.write(json.dumps({"games": self.done}, indent=1, ensure_ascii=False) + "\n")
        if self.stop.is_set():
            _say("interrupted; what was reviewed is written")
            return INTERRUPTED
        return (1 if self.done else 2) if self.failed else 0

    def _check_ranks(self) -> None:
        """Raises RankError if the options ask for a rank that is none."""
        from goengine.dataio.records import GameRecord
        from goengine.review.by_rank import ranks_of

        ranks_of(self.options.ranks, GameRecord(size=19, moves=()), self.options.seen)

    def _needs_ranks(self, record: "GameRecord") -> bool:
        """Whether a game is the first that is to be reviewed by rank: the nets for it are loaded only then."""
        from goengine.review.by_rank import ranks_of

        return self.ranked is None and ranks_of(self.options.ranks, record, self.options.seen)[0] is not None

    def _ranked_nets(self, nets: "NetSource") -> "RankedNets | None":
        """The nets that know ranks; None where none came along and nobody asked for one. Raises EvaluatorError."""
        from goengine.evaluators.base import EvaluatorError
        from goengine.player.human_play import load_policy
        from goengine.review.by_rank import FROM_RECORD, RankedNets
        from goengine.sequence.decoder import Decoder

        options = self.options
        if options.ranks == "none":
            return None
        try:
            return RankedNets(load_policy(nets, options.rank_net), Decoder())
        except EvaluatorError:
            if options.ranks == FROM_RECORD and options.rank_net == "auto":
                return None
            raise

    # -- files and games --

    def _file(self, path: Path, files_left: int, analysis: "BatchAnalysis") -> None:
        """Review the games of a file. Whatever is wrong with one is said, and the others go on."""
        for game, games_left in self._games(path):
            if self.stop.is_set():
                return
            name = str(path) + (f", game {game.number}" if game.number else "")
            try:
                self._game(path, name, game, files_left - 1 + games_left, analysis)
            except Exception as error:  # one game of many: whatever is wrong with it, others go on
                from goengine.evaluators.base import EvaluatorError

                if not isinstance(error, (ValueError, OSError, EvaluatorError)):
                    raise
                self._fail(f"{name}: {getattr(error, 'strerror', None) or error}")

    def _games(self, path: Path) -> "Iterator[tuple[GameText, int]]":
        """(game, how many are left of the file with it), counted only where time has to be divided."""
        from goengine.dataio.sgf_values import SgfError
        from goengine.review.source import games_of

        try:
            count = sum(1 for _ in games_of(path)) if self.options.time is not None else 1
            for number, game in enumerate(games_of(path)):
                if isinstance(game, SgfError):
                    self._fail(f"{path}, game {number + 1}: {game}")
                else:
                    yield game, max(1, count - number)
        except (OSError, EOFError, lzma.LZMAError, SgfError) as error:
            self._fail(f"{path}: {getattr(error, 'strerror', None) or error}")

    def _fail(self, text: str) -> None:
        self.failed += 1
        _say(text)

    def _game(self, path: Path, name: str, game: "GameText", left: int, analysis: "BatchAnalysis") -> None:
        from goengine.core.progress import Progress
        from goengine.dataio.sgf import read_game
        from goengine.review import annotate, files
        from goengine.review.reviewer import Reviewer

        record = read_game(annotate.without_review(game.text))
        if self._needs_ranks(record):
            self.ranked = self._ranked_nets(analysis.nets)
        reviewer = Reviewer(analysis, self._settings(left), self.ranked)
        with Progress(f"review of {path.name}", 1.0) as progress:
            review = reviewer.review(
                record, self.stop, lambda done, total: progress.update(done / total, f"{done} of {total} positions")
            )
        written = files.write(
            review, game, self._stem(files.stem_of(path, game.number, self.options.out)), variations=self.options.variations
        )
        self._tell(name, review, written)

    def _settings(self, left: int) -> Any:
        """How the next game is reviewed; ``left``: games that share what is left of the time."""
        from goengine.review.reviewer import ReviewSettings

        options = self.options
        spent = time.monotonic() - self.started
        seconds = None if options.time is None else max(0.05, (options.time - spent) / left)
        return ReviewSettings(
            visits=options.visits or (VISITS if options.time is None else MOST_VISITS),
            seconds=seconds,
            first=options.first,
            last=options.last,
            rules=options.rules,
            komi=options.komi,
            ranks=options.ranks,
            seen=options.seen,
        )

    def _stem(self, stem: Path) -> Path:
        """A name that no other game of this call has."""
        times = self._stems[stem] = self._stems.get(stem, 0) + 1
        if times == 1:
            return stem
        from goengine.review.files import SUFFIX

        return self._stem(stem.with_name(f"{stem.name.removesuffix(SUFFIX)}-again{times}{SUFFIX}"))

    def _tell(self, name: str, review: "GameReview", written: "Written") -> None:
        """What was found, and where it lies."""
        from goengine.review.report import to_json, to_text

        for problem in written.problems:
            _say(f"{name}: {problem}")
        if self.options.first > len(review.moves) > 0:
            _say(f"{name}: there is no move {self.options.first}; the game has {len(review.moves)}")
        where = [str(path) for path in written.paths]
        self.done.append({"file": name, "files": where, **(to_json(review) if self.options.json else {})})
        if not self.options.json:
            sys.stdout.write(f"{name}\n{to_text(review)}\nWritten: {', '.join(where)}\n\n")
            sys.stdout.flush()
