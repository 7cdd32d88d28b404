"""Games of which one position each is learned from: played, kept on the disk, read again.

A game is played by one policy up to a random ply, then a move is drawn from all legal points alike, then another policy
plays to the end (Silver et al. 2016, methods). The position after the random move is the game's. Games that end before it,
or have no result, are left out. A part of the games is a pack, NAME.npz, as any other command reads it, with
NAME.places.npz beside it: how many moves stand before each game's position. Knows no value net.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from goengine.core.array_file import RecordError, read_arrays, write_arrays
from goengine.dataio.records import GamePack
from goengine.policy_play.games import Policy, PolicyGameParams, PolicyGames
from training.data import packs
from training.data.sampling import Games

FORMAT, VERSION = "goengine places", 1
TABLES = 8  # full tables of games in a part
_PLAYED, _PLACED = range(2)  # what the chance is for


@dataclass(frozen=True)
class Recipe:
    """How the games are made. story: JSON values that say so, the nets among them; parts of other stories are refused."""

    terms: PolicyGameParams
    latest: int  # ply of the latest random move, counted from 1
    parallel: int
    seed: int
    story: dict


def play_part(recipe: Recipe, number: int, before: Policy, after: Policy, games: PolicyGames) -> tuple[GamePack, np.ndarray]:
    """(games, places int32[G]) of a part: a function of the recipe and its number."""
    parts, kept_places = [], []
    for table in range(TABLES):
        chance = np.random.default_rng([recipe.seed, number, table, _PLACED])
        places = chance.integers(1, recipe.latest + 1, recipe.parallel)

        def who(numbers: np.ndarray, ply: int, places: np.ndarray = places) -> np.ndarray:
            return (ply >= places[numbers]).astype(np.int64)

        finished = games.play([before, after], who, (recipe.seed, number, table, _PLAYED), places - 1)
        kept = np.flatnonzero((finished.length > places) & ~np.isnan(finished.margin))
        parts.append(finished.pack(recipe.terms).select(kept))
        kept_places.append(places[kept].astype(np.int32))
    return GamePack.concat(parts), np.concatenate(kept_places)


def path_of(folder: Path, number: int) -> Path:
    """The file of a part."""
    return folder / f"{number:06d}.npz"


def places_path(path: Path) -> Path:
    """The file with the places of a pack's positions."""
    return path.with_name(path.name.removesuffix(".npz") + ".places.npz")


def save_part(path: Path, pack: GamePack, places: np.ndarray, story: dict) -> None:
    """Write a part; where its pack is, its places are, too."""
    write_arrays(places_path(path), {"places": places}, {"format": FORMAT, "version": VERSION, "story": story})
    pack.save(path)


def load_part(path: Path) -> tuple[GamePack, np.ndarray, dict]:
    """(games, places, story) of a part. Raises RecordError, naming the file, if it is damaged or the two do not fit."""
    pack, beside = GamePack.load(path), places_path(path)
    arrays, meta = read_arrays(beside, FORMAT, VERSION)
    places, story = arrays.get("places"), meta.get("story")
    if (
        places is None
        or places.dtype != np.int32
        or places.shape != (len(pack),)
        or not isinstance(story, dict)
        or not ((places > 0) & (places < pack.lengths())).all()
    ):
        raise RecordError(f"{beside}: does not belong to {path.name}; delete both, and they are played again")
    return pack, places, story


def play_until(
    folder: Path,
    recipe: Recipe,
    positions: int,
    players: Callable[[], tuple[Policy, Policy]],
    tell: Callable[[int], None],
    should_stop: Callable[[], bool],
) -> bool:
    """Play parts into the folder until it has that many positions. Returns whether it has (False: told to stop).

    What is there already is kept; damaged parts are played again. players: makes (policy before, policy after), if need be.
    tell: hears the number of positions. Raises RecordError if a part was made by another recipe.
    """
    found, number, made = 0, 0, None
    folder.mkdir(parents=True, exist_ok=True)
    while found < positions:
        path = path_of(folder, number)
        places = _there(path, recipe)
        if places is None:
            if should_stop():
                return False
            made = made or (*players(), PolicyGames(recipe.terms, recipe.parallel))
            pack, places = play_part(recipe, number, *made)
            save_part(path, pack, places, recipe.story)
        found += len(places)
        number += 1
        tell(min(found, positions))
    return True


def _there(path: Path, recipe: Recipe) -> np.ndarray | None:
    """The places of a part that exists and is whole, else None."""
    if not path.exists():
        return None
    try:
        _, places, story = load_part(path)
    except RecordError:
        return None
    if story != recipe.story:
        other = next(name for name in {**story, **recipe.story} if story.get(name) != recipe.story.get(name))
        raise RecordError(
            f"{path}: these games were made with {other} {story.get(other)}, not {recipe.story.get(other)}; go on so, or take "
            "another folder"
        )
    return places


def load(folder: Path, positions: int) -> tuple[Games, np.ndarray, dict]:
    """(games, int64[K] their positions, numbered through, story) of a folder's parts in order, up to about that many.

    Raises RecordError if there is none, or one is damaged.
    """
    games, chosen, moves, story = [], [], 0, {}
    for path in _parts(folder):
        if sum(map(len, chosen)) >= positions:
            break
        pack, places, story = load_part(path)
        part = packs.to_games(pack)
        if fault := packs.first_fault(part):
            raise RecordError(f"{path}: game {fault[0]} has an impossible move at number {fault[1] + 1}")
        games.append(part)
        chosen.append(moves + part.start[:-1] + places)
        moves += part.moves.size
    if not games:
        raise RecordError(f"{folder}: there are no games")
    return packs.join(games), np.concatenate(chosen), story


class SizedGames(NamedTuple):
    """The games of some folders on boards of one size, and which of their positions, numbered through, are for what."""

    games: Games
    learned: np.ndarray  # int64[K]
    held_out: np.ndarray  # int64[H]


def load_folders(
    folders: Sequence[Path], positions: int, held_out: int, every: bool = False
) -> tuple[dict[int, SizedGames], list[dict]]:
    """(games by board size, the smallest first; stories) of folders: up to so many positions of each, the first are held out.

    every: all positions of the games are for learning. Raises RecordError as `load`, or if a folder has nothing to learn from.
    """
    found: dict[int, list[SizedGames]] = {}
    stories = []
    for folder in folders:
        games, chosen, story = load(folder, positions)
        if len(chosen) <= held_out:
            raise RecordError(f"{folder}: {len(chosen)} games, of which {held_out} are held out; play more, or hold out fewer")
        if len(sizes := np.unique(games.size)) != 1:
            raise RecordError(f"{folder}: games of several board sizes ({', '.join(map(str, sizes))}); a folder has one")
        learned = chosen[held_out:positions]
        if every:
            learned = np.arange(games.start[held_out], games.start[min(positions, len(chosen))])
        found.setdefault(int(sizes[0]), []).append(SizedGames(games, learned, chosen[:held_out]))
        stories.append(story)
    return {size: _joined(found[size]) for size in sorted(found)}, stories


def _joined(parts: Sequence[SizedGames]) -> SizedGames:
    """Games of one size of several folders."""
    before = np.cumsum([0, *(part.games.moves.size for part in parts)])
    learned, held_out = (
        np.concatenate([part[kind] + first for part, first in zip(parts, before, strict=False)]) for kind in (1, 2)
    )
    return SizedGames(packs.join([part.games for part in parts]), learned, held_out)


def _parts(folder: Path) -> Sequence[Path]:
    return sorted(path for path in folder.glob("*.npz") if not path.name.endswith(".places.npz"))
