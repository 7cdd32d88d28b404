"""The command lines that every program shares."""

import dataclasses
import enum
import subprocess
import sys
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
    rate: float = option(0.1, "100 % of the rate", least=None)
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


ALL = """
steps = 7
rate = 2
budget = "1h30m"
mode = "slow"
level = 2
side = "w"
sizes = [9, 13]
pair = [1, 2.5]
resume = false
to-file = "x"
files = ["a.sgf"]
"""


def config_file(tmp_path, text: str | bytes) -> str:
    path = tmp_path / "options.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def refusal(capsys, kind, words: list[str]) -> str:
    """What a command line that is refused is told."""
    with pytest.raises(SystemExit) as stop:
        parse(kind, words)
    assert stop.value.code == 2
    return capsys.readouterr().err


def test_a_file_sets_options_of_every_kind(tmp_path):
    found = parse(Sample, ["--config", config_file(tmp_path, ALL)])
    assert found == Sample(
        (Path("a.sgf"),), 7, 2.0, Seconds(5400), "slow", 2, Side.WHITE, (9, 13), (1.0, 2.5), False, Path("x")
    )
    assert type(found.rate) is float and type(found.pair[0]) is float and type(found.budget) is Seconds


@pytest.mark.parametrize("turned", [False, True])
def test_the_command_line_goes_before_the_file(turned, tmp_path):
    file, words = ["--config", config_file(tmp_path, ALL)], ["--steps", "8", "--sizes", "5", "--resume", "--rate=0.5"]
    found = parse(Sample, words + file if turned else file + words)
    assert (found.steps, found.sizes, found.resume, found.rate, found.mode) == (8, (5,), True, 0.5, "slow")


@pytest.mark.parametrize("name", ["to-file", "to_file"])
def test_keys_have_hyphens_or_underscores(name, tmp_path):
    assert parse(Sample, ["--config", config_file(tmp_path, f"{name} = 'y'")]).to_file == Path("y")


def test_required_options_may_come_from_the_file(tmp_path, capsys):
    @dataclass(frozen=True)
    class Files:
        """Files."""

        sources: tuple[Path, ...] = option(help="what to read", positional=True)
        net: str = option(help="the net")

    words = ["--config", config_file(tmp_path, "net = 'x'\nsources = ['a', 'b']")]
    assert parse(Files, words) == Files((Path("a"), Path("b")), "x")
    assert parse_command({"files": Files}, ["files", *words]) == ("files", Files((Path("a"), Path("b")), "x"))
    assert parse(Files, [*words, "--net", "y"]).net == "y"
    assert parse(Files, [*words, "c"]).sources == (Path("c"),)
    assert "required: SOURCES" in refusal(capsys, Files, ["--config", config_file(tmp_path, "net = 'x'")])
    assert "at least one" in refusal(capsys, Files, ["--config", config_file(tmp_path, "net = 'x'\nsources = []")])


@pytest.mark.parametrize(
    "text, said",
    [
        ("stepz = 1", ("'stepz'", "possible:", "steps")),
        ("steps = 'many'", ("steps: expected a whole number, not 'many'",)),
        ("steps = 1.0", ("steps: expected a whole number",)),
        ("steps = true", ("steps: expected a whole number, not True",)),
        ("rate = '0.1'", ("rate: expected a number",)),
        ("rate = true", ("rate: expected a number",)),
        (f"rate = {10**400}", ("rate: the number is too large",)),
        ("budget = 'soon'", ("budget:", "duration")),
        ("budget = -1", ("budget:", "duration")),
        ("budget = [1]", ("budget: expected a duration",)),
        ("mode = 'medium'", ("mode: expected one of 'fast', 'slow'",)),
        ("level = '1'", ("level: expected one of 1, 2",)),
        ("level = true", ("level: expected one of 1, 2",)),
        ("side = 'green'", ("side: expected one of 'b', 'w'",)),
        ("sizes = 9", ("sizes: expected an array, each a whole number",)),
        ("sizes = [9, 'x']", ("sizes: expected a whole number, not 'x'",)),
        ("pair = [1]", ("pair: expected an array of 2",)),
        ("resume = 1", ("resume: expected true or false",)),
        ("to_file = 1", ("to_file: expected a path in quotes",)),
        ('to_file = "a\\u0000b"', ("to_file: expected a path",)),
        ("to_file = 'a'\nto-file = 'b'", ("twice",)),
        ("[rate]\nx = 1", ("rate: expected a number",)),
        ("[other]\nx = 1", ("'other'",)),
        ("rate = -1", ("must not be negative",)),
        ("rate = 1\nrate = 2", ("not TOML",)),
        ("rate", ("not TOML",)),
        (b"\xff\xfe", ("not UTF-8",)),
        ("sizes = " + "[" * 30_000, ("not TOML",)),
        ("rate = 1\n" + "#" * 70_000, ("larger than 64 KiB",)),
    ],
)
def test_a_bad_file_is_told(text, said, tmp_path, capsys):
    path = config_file(tmp_path, text)
    told = refusal(capsys, Sample, ["--config", path])
    assert all(part in told for part in said)
    assert path in told or "negative" in told
    assert len(told) < 3000


def test_a_file_that_is_none_is_told(tmp_path, capsys):
    assert "there is no such file" in refusal(capsys, Sample, ["--config", str(tmp_path / "none.toml")])
    assert "not a regular file" in refusal(capsys, Sample, ["--config", str(tmp_path)])
    path = config_file(tmp_path, "rate = 1")
    assert "once" in refusal(capsys, Sample, ["--config", path, "--config", path])
    assert "--config" in refusal(capsys, Sample, ["--config"])


def test_no_start_waits_for_the_reader_of_toml():
    code = "import sys, goengine.core.options; print('tomllib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@dataclasses.dataclass(frozen=True)
class Ranges:
    """Numbers with and without a range."""

    plain: int = 1
    count: int | None = option(None, "from 1 on", least=1)
    share: float = option(0.5, "of one", most=1)
    komi: float = option(6.5, "any", least=None)
    sizes: tuple[int, ...] = option((9,), "of boards", least=2, most=25)
    time: Seconds = Seconds(1.0)


OUT_OF_RANGE = [("plain", "-1"), ("plain", "9" * 30), ("plain", "9" * 5000), ("count", "0"), ("share", "1.5"), ("share", "nan"),
                ("share", "-0.1"), ("komi", "inf"), ("komi", "nan"), ("sizes", "26"), ("time", "inf"),
                ("time", "-1s")]  # fmt: skip


@pytest.mark.parametrize("name, text", OUT_OF_RANGE)
def test_numbers_out_of_range_are_named(name, text, capsys, tmp_path):
    with pytest.raises(SystemExit) as caught:
        parse(Ranges, [f"--{name}", text])
    error = capsys.readouterr().err
    assert caught.value.code == 2 and f"--{name}" in error and len(error) < 1000
    if len(text) < 10 and name != "time":
        (tmp_path / "x.toml").write_text(f"{name} = [{text}]" if name == "sizes" else f"{name} = {text}")
        with pytest.raises(SystemExit) as caught:
            parse(Ranges, ["--config", str(tmp_path / "x.toml")])
        assert caught.value.code == 2 and name in capsys.readouterr().err


def test_numbers_in_range_pass():
    found = parse(Ranges, ["--komi", "-7.5", "--count", "1", "--share", "1", "--sizes", "2", "25"])
    assert found == Ranges(komi=-7.5, count=1, share=1.0, sizes=(2, 25))
