"""The commands, a module for each group. Importing this package fills `goengine.gtp.registry.TABLE`."""

from goengine.gtp.commands import admin, analysis, clients, endings, gogui, handicap, parameters, play, rules, setup, times

__all__ = ["admin", "analysis", "clients", "endings", "gogui", "handicap", "parameters", "play", "rules", "setup", "times"]
