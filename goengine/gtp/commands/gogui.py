"""GoGui: its handshake, and analysis commands that draw on its board."""

from goengine.gtp.registry import command
from goengine.gtp.session import Session

# type/label/command as GoGui reads them; it shows a menu entry for each.
_ANALYZE_COMMANDS = (
    "gfx/Policy of the net/goengine-policy",
    "dboard/Ownership/goengine-ownership",
    "var/Principal variation/goengine-pv %m",
    "string/Search tree/goengine-search_tree",
    "string/Describe/gomill-describe_engine",
    "string/Explain last move/gomill-explain_last_move",
    "plist/Dead stones/final_status_list dead",
    "string/Final score/final_score",
    "param/Settings/goengine-param",
    "none/Clear cache/clear_cache",
)


@command("gogui-analyze_commands", "gogui")
def analyze_commands(session: Session, words: list[str]) -> str:
    """The analyze commands for GoGui."""
    return "\n".join(_ANALYZE_COMMANDS)


@command("gogui-interrupt", "gogui")
def interrupt(session: Session, words: list[str]) -> None:
    """Listed to say that the comment line `# interrupt` ends a running command."""


@command("gogui-title", "gogui")
def title(session: Session, words: list[str]) -> str:
    """The title for GoGui."""
    return f"{session.name} {session.version}"


@command("gogui-version", "gogui")
def gogui_version(session: Session, words: list[str]) -> None:
    """[VERSION]: the version of GoGui, which is ignored."""


@command("goengine-policy", "gogui")
def policy(session: Session, words: list[str]) -> str:
    """The net's policy as graphics: colour by probability, per cent as labels, at the moves above one per cent."""
    from goengine.board.coords import to_gtp

    engine = session.engine
    moves = [(p, share) for p, share in engine.opinion.likely_moves(engine.position)]
    size = engine.position.size
    lines = [f"INFLUENCE {to_gtp(p, size)} {share:.3f}" for p, share in moves if p]
    lines += [f"LABEL {to_gtp(p, size)} {round(100 * share)}" for p, share in moves if p]
    lines += [f"TEXT pass {100 * share:.0f} %" for p, share in moves if not p]
    return "\n".join(lines)


@command("goengine-ownership", "gogui")
def ownership(session: Session, words: list[str]) -> str:
    """N rows of N numbers for the owner of each point: 1 is Black, -1 White."""
    engine = session.engine
    size, owned = engine.position.size, engine.opinion.territory(engine.position).owned
    return "\n".join(" ".join(f"{float(x):.2f}" for x in owned[row * size : (row + 1) * size]) for row in range(size))


@command("goengine-pv", "gogui")
def variation(session: Session, words: list[str]) -> str:
    """The last move that was chosen and what the search expects after it, as colour-vertex pairs."""
    from goengine.board.coords import to_gtp

    engine = session.engine
    decision, size = engine.last_decision, engine.position.size
    if decision is None:
        return ""
    color, words = decision.color, []
    for p in decision.pv:
        words.append(f"{'b' if color == 1 else 'w'} {to_gtp(p, size)}")
        color = 3 - color
    return " ".join(words)


@command("goengine-search_tree", "gogui")
def search_tree(session: Session, words: list[str]) -> str:
    """The moves at the root of the last search, one per line."""
    from goengine.gtp.analyze import AnalyzeArguments, kata_line

    engine = session.engine
    if engine.last_decision is None:
        return "no search yet"
    text = kata_line(engine.with_net_priors(engine.last_decision), engine.position.size, AnalyzeArguments())
    return text.replace(" info ", "\n").removeprefix("info ")
