"""The command lines that every program shares."""

import dataclasses
import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pytest

from goengine.core.options import Seconds, format_duration, option, parse, parse_command, parse_duration


class Side(enum.Enum):
    BLACK = "b"
    WHITE = "w"


@dataclasses.dataclass(frozen=True)
class Sample:
    """A sample of every kind of option."""

    files: tuple[Path, ...] = option((), "games to read", positional=True)
    steps: int | None = option(None, "stop after so many")
    rate: float = option(0.1, "100 % of the rate")
    budget: Seconds = option(Seconds(1500), "time to spend")
    mode: Literal["fast", "slow"] = option("fast", "how")
    level: Literal[1, 2] = 1
    side: Side = Side.BLACK
    sizes: tuple[int, ...] = (9, 19)
    pair: tuple[float, float] = (0.5, 1.0)
    resume: bool = option(True, "go on where a run stopped")
    to_file: Path | None = None

    def __post_init__(self):
        if self.rate < 0:
            raise ValueError("rate must not be negative")


@dataclasses.dataclass(frozen=True)
class Required:
    """One required option."""

    net: str = option(help="the net")


def test_defaults_are_the_dataclass_defaults():
    assert parse(Sample, []) == Sample()


@pytest.mark.parametrize(
    "arguments, field, value",
    [
        (["a.sgf", "b.sgf"], "files", (Path("a.sgf"), Path("b.sgf"))),
        (["--steps", "7"], "steps", 7),
        (["--rate", "1e-3"], "rate", 1e-3),
        (["--budget", "1h30m"], "budget", 5400.0),
        (["--mode", "slow"], "mode", "slow"),
        (["--level", "2"], "level", 2),
        (["--side", "w"], "side", Side.WHITE),
        (["--sizes", "9", "13"], "sizes", (9, 13)),
        (["--sizes"], "sizes", ()),
        (["--pair", "1", "2"], "pair", (1.0, 2.0)),
        (["--no-resume"], "resume", False),
        (["--resume"], "resume", True),
        (["--to-file", "x"], "to_file", Path("x")),
    ],
)
def test_values(arguments, field, value):
    found = getattr(parse(Sample, arguments), field)
    assert (found == value and type(found) is type(value)) or (field == "budget" and found == value)


@pytest.mark.parametrize(
    "arguments, said",
    [
        (["--nothing", "1"], "--nothing"),
        (["--step", "1"], "--step"),  # no abbreviations: a script must not change its meaning when an option is added
        (["--steps", "many"], "many"),
        (["--mode", "medium"], "medium"),
        (["--side", "green"], "green"),
        (["--budget", "soon"], "soon"),
        (["--rate", "-1"], "must not be negative"),
        (["--pair", "1"], "--pair"),
    ],
)
def test_errors_name_what_was_wrong(arguments, said, capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Sample, arguments, prog="sample")
    assert stop.value.code == 2
    printed = capsys.readouterr()
    assert said in printed.err and printed.out == ""


def test_required(capsys):
    with pytest.raises(SystemExit):
        parse(Required, [])
    assert "--net" in capsys.readouterr().err
    assert parse(Required, ["--net", "x"]).net == "x"


def test_a_required_list_is_not_empty(capsys):
    @dataclasses.dataclass(frozen=True)
    class Files:
        files: tuple[Path, ...] = option(help="what to read")

    assert parse(Files, ["--files", "a", "b"]).files == (Path("a"), Path("b"))
    with pytest.raises(SystemExit):
        parse(Files, ["--files"])
    assert "at least one" in capsys.readouterr().err


def test_help_shows_defaults(capsys):
    with pytest.raises(SystemExit) as stop:
        parse(Sample, ["--help"])
    assert stop.value.code == 0
    text = capsys.readouterr().out
    assert "25m00s" in text and "100 % of the rate (0.1)" in text and "A sample of every kind" in text


def test_commands(capsys):
    commands = {"sample": Sample, "required": Required}
    assert parse_command(commands, ["required", "--net", "x"]) == ("required", Required("x"))
    assert parse_command(commands, ["sample"]) == ("sample", Sample())
    for wrong in ([], ["other"], ["sample", "--other"]):
        with pytest.raises(SystemExit) as stop:
            parse_command(commands, wrong)
        assert stop.value.code == 2
    capsys.readouterr()


@pytest.mark.parametrize(
    "text, seconds",
    [("90", 90), ("90s", 90), ("25m", 1500), ("2h", 7200), ("1h30m", 5400), ("1.5h", 5400), ("1d", 86400)],
)
def test_durations(text, seconds):
    assert parse_duration(text) == seconds


@pytest.mark.parametrize("text", ["", "m", "5x", "-5m", "nan", "inf", "1h 30m"])
def test_bad_durations(text):
    with pytest.raises(ValueError, match="duration"):
        parse_duration(text)


def test_format_duration():
    assert [format_duration(s) for s in (42, 750, 3900)] == ["42s", "12m30s", "1h05m"]


def test_a_field_may_be_called_command():
    @dataclass(frozen=True)
    class Run:
        """Run."""

        command: str = option("", "a text")

    name, config = parse_command({"run": Run}, ["run", "--command", "make -j"])
    assert (name, config.command) == ("run", "make -j")
