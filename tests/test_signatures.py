"""No function takes more arguments than a reader can keep apart; what travels together is one object."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MOST = 8
FILES = sorted(path for package in ("goengine", "selfplay", "training") for path in ROOT.joinpath(package).rglob("*.py"))


def count_arguments(arguments: ast.arguments) -> int:
    """All that a caller may pass, by position or by name; the object or class of a method is not one of them."""
    names = [one.arg for one in (*arguments.posonlyargs, *arguments.args)]
    own = names[:1] in (["self"], ["cls"])
    rest = (arguments.vararg is not None) + (arguments.kwarg is not None)
    return len(names) - own + len(arguments.kwonlyargs) + rest


def too_many(source: str) -> list[str]:
    """Name and number of arguments of each function, method or lambda that takes more than MOST."""
    functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    found = [node for node in ast.walk(ast.parse(source)) if isinstance(node, functions)]
    counted = [(getattr(node, "name", "lambda"), count_arguments(node.args)) for node in found]
    return [f"{name}: {count}" for name, count in counted if count > MOST]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("def f(a, b, c, d, e, f, g, h): pass", []),
        ("def f(a, b, c, d, e, f, g, h, i): pass", ["f: 9"]),
        ("def f(a, b, /, c, d, *, e, f=0, g=0, h=0, i=0): pass", ["f: 9"]),
        ("def f(a, b, c, d, e, f, g, *h, **i): pass", ["f: 9"]),
        ("class A:\n  def f(self, a, b, c, d, e, f, g, h): pass", []),
        ("class A:\n  async def f(self, a, b, c, d, e, f, g, h, i): pass", ["f: 9"]),
        ("def g():\n  return lambda a, b, c, d, e, f, g, h, i: 0", ["lambda: 9"]),
    ],
)
def test_arguments_are_counted(source, expected):
    assert too_many(source) == expected


def test_there_are_files_to_read():
    assert len(FILES) > 100


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_functions_take_few_arguments(path):
    assert too_many(path.read_text(encoding="utf-8")) == []
