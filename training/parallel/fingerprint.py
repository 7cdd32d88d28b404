"""What a worker must have in common with the server: the code, the net, the games. Each is a digest under a name."""

import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import goengine
from training.core.setup import Setup

_PACKAGES = (Path(goengine.__file__).parent, Path(__file__).parents[1])


def fingerprint(setup: Setup) -> dict[str, str]:
    """Digests by what they are of."""
    found = {"code": code(), "net": _digest(_form(setup)), **setup.bound}
    card = getattr(setup.stage, "card", None)
    return found if card is None else found | {"games": _digest(json.dumps(card, sort_keys=True, default=str))}


def difference(ours: Mapping[str, str], theirs: Mapping[str, str]) -> str:
    """Why a worker with that fingerprint is refused, '' if it is not."""
    other = [name for name in sorted(ours.keys() | theirs.keys()) if ours.get(name) != theirs.get(name)]
    if not other:
        return ""
    advice = {"code": "install the server's version there", "games": "give it the same packs under the same paths"}
    return (
        f"has another {' and another '.join(other)} than the server: {advice.get(other[0], 'start it with the same options')}"
    )


@cache
def code() -> str:
    """Of all our modules that a gradient may depend on, by their sources."""
    total = hashlib.sha256()
    for root in _PACKAGES:
        for path in sorted(root.rglob("*.py")):
            total.update(str(path.relative_to(root)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()[:16]


def _form(setup: Setup) -> str:
    shapes = {name: [list(value.shape), str(value.dtype)] for name, value in setup.module.state_dict().items()}
    return json.dumps([shapes, str(getattr(setup.module, "spec", ""))])


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
