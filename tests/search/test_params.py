"""The constants of a search: each has a range, and nothing that is no number passes."""

import dataclasses

import pytest

from goengine.search import params_text
from goengine.search.params import PRESETS, SearchParams

NUMBERS = [field.name for field in dataclasses.fields(SearchParams) if params_text.KINDS[field.name] in (int, float)]


@pytest.mark.parametrize("name", NUMBERS)
def test_senseless_values_are_named(name):
    for text in ("nan", "inf", "-inf", "1e300", "-1e7") if params_text.KINDS[name] is float else ("-1", "9" * 30):
        with pytest.raises(ValueError, match=f"^{name} must be from"):
            params_text.parse(f"{name}={text}")


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_in_range(name):
    assert params_text.parse(f"preset={name}") == PRESETS[name]
