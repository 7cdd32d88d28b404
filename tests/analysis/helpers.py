"""Sessions of the analysis protocol, and what they answer."""

import json

from goengine.analysis.batch import BatchAnalysis
from goengine.analysis.session import Session
from goengine.analysis.settings import Settings
from goengine.evaluators.uniform import Uniform
from goengine.player.net_source import Given


def new_session(nets=None, settings=None, **how):
    return Session(BatchAnalysis(nets or Given(Uniform()), **how), settings or Settings())


def query(id="q", size=9, **fields):
    base = {"moves": [], "rules": "tromp-taylor", "komi": 7.5, "boardXSize": size, "boardYSize": size, "maxVisits": 10}
    return {"id": id, **base, **fields}


def tell(session, *queries):
    """What is answered at once."""
    lines = [q if isinstance(q, bytes) else json.dumps(q).encode() for q in queries]
    return [json.loads(line) for text in lines for line in session.handle(text)]


def finish(session):
    found = []
    while session.busy:
        found += [json.loads(line) for line in session.step()]
    return found


def ask(session, *queries):
    return tell(session, *queries) + finish(session)
