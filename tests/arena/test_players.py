"""What `--a TEXT` and its settings mean."""

import shlex
import sys

import pytest

from goengine.arena.players import MATCH, NetPlayer, ProgramPlayer, parse_player
from goengine.core import options
from goengine.gtp.gtp_options import GtpOptions
from goengine.search import params_text
from goengine.search.params import GUMBEL, PLAY, PRESETS, SearchParams


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("visits=100", {"visits": 100}),
        ("playouts=50, precision=int8", {"playouts": 50, "precision": "int8"}),
        ("seconds=0.5,symmetries=8,threads=2", {"seconds": 0.5, "symmetries": 8, "threads": 2}),
        ("early_stop=true", {"early_stop": True}),
        ("cpuct=1.1,leaves=4", {"params": MATCH.with_(cpuct=1.1, leaves=4)}),
        ("reuse=false,choice=visits", {"params": MATCH.with_(reuse=False, choice="visits")}),
        ("temperature=0.5", {"params": MATCH.with_(temperature=0.5)}),
        ("cpuct=2,preset=gumbel", {"params": GUMBEL.with_(cpuct=2.0, gumbel_scale=0.0, ownership=False)}),
    ],
)
def test_settings_of_a_net(text, expected):
    player = parse_player("uniform", text)
    assert player == NetPlayer("uniform", **expected)
    assert parse_player("uniform", player.settings) == player


@pytest.mark.parametrize("preset", PRESETS)
def test_presets_come_without_chance(preset):
    """Noise and temperature are for training; in a match chance comes from the openings."""
    params = parse_player("uniform", f"preset={preset}").params
    assert (params.temperature, params.temperature_final, params.dirichlet_total, params.gumbel_scale) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("cpukt=1", "unknown setting 'cpukt'"),
        ("cpukt=1", "cpuct"),
        ("visits=many", "visits must be a whole number, not 'many'"),
        ("visits=0", "visits must be from 1"),
        ("reuse=perhaps", "reuse must be true or false"),
        ("cpuct", "'cpuct' is not a setting"),
        ("cpuct=1,cpuct=2", "cpuct is set twice"),
        ("preset=BEST", "no preset 'BEST'; there are: LEE, ZERO"),
        ("precision=f64", "precision 'f64' is none of auto"),
        ("symmetries=9", "symmetries must be from 1 to 8"),
        ("seconds=0", "seconds must be positive"),
        ("leaves=0", "leaves must be from 1 to 4096"),
        ("choice=best", "choice 'best' is none of"),
    ],
)
def test_wrong_settings_say_what_is_possible(text, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        parse_player("uniform", text)
    assert words in str(error.value)


def test_files_and_folders_are_nets(tmp_path):
    (tmp_path / "net.xml").write_text("")
    (tmp_path / "a folder").mkdir()
    for name, called in (("net.xml", "net"), ("a folder", "a folder")):
        player = parse_player(str(tmp_path / name))
        assert player == NetPlayer(str(tmp_path / name)) and player.name == called


TWO = [
    ("+", "+", "+"),
    ("lee", "lee", "lee"),
    ("lee+", "lee+", "lee+"),
    ("+lee", "+lee", "+lee"),
    ("lee+lee", "lee+lee", "lee+lee"),
    ("uniform+", "uniform+", "uniform+"),
    ("p.xml+v.xml", "{here}/p.xml+{here}/v.xml", "p+v"),
    ("p.xml+", "{here}/p.xml+", "p+"),
    ("+nets/v.safetensors", "+{here}/nets/v.safetensors", "+v"),
    ("nets+./p.xml", "{here}/nets+{here}/p.xml", "nets+p"),
    ("{here}/nets/v.safetensors+lee", "{here}/nets/v.safetensors+lee", "v+lee"),
    (" uniform+p.xml ", "uniform+{here}/p.xml", "uniform+p"),
]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with files of nets, from which the program is started."""
    for name in ("p.xml", "v.xml", "nets/v.safetensors", "a+b.xml", "a+b/c.xml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(("text", "net", "name"), TWO)
def test_two_nets_are_a_player(here, monkeypatch, text, net, name):
    """Paths in either place are absolute ones, as another process may be started elsewhere; its name has none."""
    player = parse_player(text.format(here=here), "visits=5")
    assert player == NetPlayer(net.format(here=here), visits=5) and player.name == name
    monkeypatch.chdir("/")
    assert parse_player(player.net, player.settings) == player
    assert options.parse(GtpOptions, player.command()[4:]).net == player.net


@pytest.mark.parametrize(("text", "name"), [("a+b.xml", "a+b"), ("a+b", "a+b")])
def test_a_plus_in_the_name_of_a_file_joins_no_nets(here, text, name):
    assert parse_player(text) == NetPlayer(str(here / text))
    assert NetPlayer(str(here / text)).name == name


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("none.xml+lee", "there is no file none.xml; nets that come with"),
        ("lee+none.safetensors", "there is no file none.safetensors; nets that come with"),
        ("p.xml+nets/none.xml", "there is no file nets/none.xml"),
        ("+none.xml", "there is no file none.xml"),
        ("lee+no-such-net", "'lee+no-such-net' is neither a net nor a program"),
        ("no-such-net+", "'no-such-net+' is neither a net nor a program"),
    ],
)
def test_a_missing_net_of_two_is_named(here, text, words):
    with pytest.raises(ValueError, match=r"^[^\n]*$") as error:
        parse_player(text)
    assert words in str(error.value)


def test_a_plus_in_a_command_line_makes_no_nets_of_it():
    words = [sys.executable, "+", "-level=+3"]
    assert parse_player(shlex.join(words)) == ProgramPlayer(tuple(words))


def test_anything_else_is_a_program(tmp_path):
    words = [sys.executable, "-m", "some program", "--level", "1"]
    assert parse_player(shlex.join(words)) == ProgramPlayer(tuple(words))


@pytest.mark.parametrize(
    ("text", "settings", "words"),
    [
        ("no-such-net", "", "neither a net nor a program that can be started; nets: "),
        ("", "", "neither a net"),
        ("net.xml", "", "there is no file net.xml"),
        ("'open quote", "", "cannot be read"),
        (shlex.quote(sys.executable), "visits=1", "are for nets"),
    ],
)
def test_what_is_no_player(text, settings, words):
    with pytest.raises(ValueError, match=words):
        parse_player(text, settings)


@pytest.mark.parametrize(
    ("text", "limits"),
    [("", (100, None)), ("visits=20,cpuct=1.3,symmetries=2", (20, None)), ("seconds=2,preset=LEE,precision=f32", (None, 2.0))],
)
def test_the_command_plays_with_the_same_constants(text, limits):
    player = parse_player("uniform", text)
    command = player.command(seed=5, resign=False)
    assert command[:4] == (sys.executable, "-m", "goengine.cli", "gtp")
    told = options.parse(GtpOptions, command[4:])
    assert told.search_params() == player.params
    assert (told.visits, told.time) == limits
    assert (told.net, told.precision, told.symmetries) == ("uniform", player.precision, player.symmetries)
    assert (told.seed, told.resign, told.threads) == (5, False, 1)


@pytest.mark.parametrize("text", ["playouts=10", "early_stop=true", "raw=true"])
def test_what_gtp_does_not_know_is_refused(text):
    with pytest.raises(ValueError, match="over GTP"):
        parse_player("uniform", text).command()


def test_search_constants_as_text():
    changed = PLAY.with_(cpuct=0.1 + 0.2, reuse=False, choice="visits", leaves=3)
    assert params_text.parse(params_text.difference(changed)) == changed
    assert params_text.difference(PLAY) == ""
    assert params_text.parse("preset=ZERO", SearchParams()) == PRESETS["ZERO"]
    with pytest.raises(ValueError, match="unknown search constant 'visits'"):
        params_text.parse("visits=3")


@pytest.mark.parametrize("text", ["cpuct=x", "nothing=1", "preset=x"])
def test_the_server_refuses_constants_that_do_not_exist(text):
    with pytest.raises(ValueError, match=text.split("=")[0]):
        GtpOptions(search=text)
