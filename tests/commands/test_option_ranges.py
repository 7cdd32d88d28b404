"""Every number on every command line has a range: what is senseless ends the program with status 2 and the option's name."""

import dataclasses
import typing

import pytest

from goengine.arena.match_command import MatchOptions
from goengine.arena.tournament_command import TournamentOptions
from goengine.commands.bench import BenchOptions
from goengine.core.options import parse
from goengine.gtp.gtp_options import GtpOptions
from goengine.terminal.play_options import PlayOptions
from selfplay.worker_options import ClusterOptions, WorkerOptions
from training.core import command_options
from training.stages.policy_options import ReinforceOptions, ValueOptions
from training.zero.zero_options import Rate, ZeroOptions

CLASSES = [GtpOptions, PlayOptions, MatchOptions, TournamentOptions, BenchOptions, WorkerOptions, ClusterOptions]
CLASSES += [ReinforceOptions, ValueOptions, Rate, ZeroOptions]
CLASSES += [value for value in vars(command_options).values() if dataclasses.is_dataclass(value)]


def numbers(config):
    """(field, whether it is whole) of all numbers among the options."""
    hints = typing.get_type_hints(config)
    for field in dataclasses.fields(config):
        kinds = {hints[field.name], *typing.get_args(hints[field.name])}
        for kind in kinds:
            if isinstance(kind, type) and kind is not bool and issubclass(kind, int | float):
                yield field, issubclass(kind, int)


@pytest.mark.parametrize("config", CLASSES, ids=lambda config: config.__name__)
def test_senseless_numbers_are_named(config, capsys):
    for field, whole in numbers(config):
        name = "--" + field.name.replace("_", "-")
        for text in ("-1", "9" * 30, "nan", "x") if whole else ("nan", "inf", "-inf", "x"):
            if text == "-1" and field.metadata.get("least", 0) is None:
                continue
            with pytest.raises(SystemExit) as stop:
                parse(config, [f"{name}={text}"])
            error = capsys.readouterr().err.splitlines()[-1]
            assert stop.value.code == 2 and name in error and "required" not in error
