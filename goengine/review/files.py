"""What a review leaves on disk: the annotated game, the page, the pictures. Knows names of files and what goes where."""

from dataclasses import dataclass, field
from pathlib import Path

from goengine.core.canvas import PictureError
from goengine.core.files import replacing
from goengine.review import annotate, graph, page
from goengine.review.report import player
from goengine.review.reviewer import GameReview
from goengine.review.source import GameText, comments_of

SUFFIX = "-review"


@dataclass
class Written:
    """The files of a game, and why some are missing."""

    paths: list[Path] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def stem_of(path: Path, number: int, out: Path | None) -> Path:
    """The files of a game without their endings. ``number`` of the game in its file; 0: the only one.

    A file that is a review itself gets its own name, so that it is replaced.
    """
    name = path.name.removesuffix(".xz")
    name = name[: -len(Path(name).suffix)] if Path(name).suffix.lower() in (".sgf", ".sgfs") else name
    name = name.removesuffix(SUFFIX) + (f"-{number}" if number else "") + SUFFIX
    return (path.parent if out is None else out) / name


def title_of(review: GameReview) -> str:
    """Who played whom."""
    return f"{player(review, 1)} - {player(review, 2)}"


def write(review: GameReview, game: GameText, stem: Path, *, variations: bool = True) -> Written:
    """Write all files of a game. Raises OSError if the SGF or the page cannot be written; pictures may be missing."""
    written = Written()
    stem.parent.mkdir(parents=True, exist_ok=True)
    text = annotate.annotated(game.text, review, variations=variations)
    comments = comments_of(annotate.without_review(game.text))
    html = page.page(review, title_of(review), comments).encode("utf-8")
    for ending, data in ((".sgf", game.encode(text)), (".html", html)):
        path = stem.with_name(stem.name + ending)
        with replacing(path) as beside:
            beside.write_bytes(data)
        written.paths.append(path)
    pictures = [stem.with_name(stem.name + ending) for ending in (".svg", ".png")]
    try:
        graph.draw(review, pictures, title_of(review))
        written.paths += pictures
    except PictureError as error:
        written.problems.append(f"no picture: {error}")
    return written
