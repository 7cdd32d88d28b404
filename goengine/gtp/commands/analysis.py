"""Analysis: reports while the engine searches, until any input comes; and moves chosen with reports on the way.

The header line is written as soon as the arguments are understood. What comes later is a `Stream`: the search runs inside it
and asks the session whether a line waits.
"""

from collections.abc import Sequence
from dataclasses import replace

from goengine.gtp import arguments
from goengine.gtp.commands.play import decision_text
from goengine.gtp.protocol import Emit, GtpError, Stream
from goengine.gtp.registry import command
from goengine.gtp.session import Session

_BY_MOVE = {"movesownership", "movesownershipstdev"}


def _dialect(name: str):
    from goengine.gtp import analyze

    return {"lz": analyze.lz_line, "kata": analyze.kata_line, "cgos": analyze.cgos_line}[name]


def _arguments(session: Session, words: list[str], dialect: str):
    """The arguments and the color to analyse for, by default whose turn it is. Raises GtpError on what cannot be given."""
    from goengine.gtp.analyze import check_flags, parse_arguments

    engine = session.engine
    wanted = parse_arguments(words, engine.position.size)
    check_flags(wanted, dialect, engine.evaluator.traits.ownership_proven and engine.keeps_ownership)
    return wanted, wanted.color or engine.position.to_play


def _watch(session: Session, emit: Emit, color: int, wanted, dialect: str) -> dict:
    """How the search is watched: the reports as lines, and what the client asked for.

    A report that shows nothing is left out, because an empty line would end the response. Where nobody trusts the net's
    ownership the reports show the one that the engine itself counts by. Priors are the net's own, as in `kata-raw-nn`.
    """
    from goengine.gtp.analyze import restrictions

    engine, line, size = session.engine, _dialect(dialect), session.engine.position.size
    ownership = dialect == "cgos" or "ownership" in wanted.flags
    proven = engine.evaluator.traits.ownership_proven and engine.keeps_ownership
    policy = engine.opinion.policy(engine.position, color)
    owned = engine.final_status().owned * (1 if color == arguments.BLACK else -1) if ownership and not proven else None

    def report(result) -> None:
        if owned is not None:
            result = replace(result, ownership=owned)
        text = line(result.with_priors(policy, size), size, wanted)
        if result.moves and text:
            emit(text)

    return {
        "on_report": report,
        "report_every": wanted.interval,
        "restrictions": restrictions(wanted),
        "min_moves": max(1, wanted.minmoves),
        "ownership": proven and ("moves" if wanted.flags & _BY_MOVE else ownership or "ownershipstdev" in wanted.flags),
    }


def _analysis(session: Session, words: list[str], dialect: str) -> Stream:
    wanted, color = _arguments(session, words, dialect)

    def run(emit: Emit) -> None:
        watch = _watch(session, emit, color, wanted, dialect)
        session.engine.analyze(color, should_stop=session.lookahead.pending, **watch)
        session.lookahead.wait()  # a search that ran out of memory or of moves leaves the analysis open

    return Stream(run)


@command("analyze", "analysis")
@command("kata-analyze", "analysis")
def kata_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: search until the next input and report, as KataGo does."""
    return _analysis(session, words, "kata")


@command("lz-analyze", "analysis")
def lz_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: search until the next input and report, as Leela Zero does."""
    return _analysis(session, words, "lz")


def _generation(session: Session, words: list[str], dialect: str, *, play: bool = True, cancellable: bool = False) -> Stream:
    """A move with reports on the way, a last one that begins with that move, and the line `play VERTEX` at the end.

    The search's own last report may begin with another move: the one played may be drawn, or be the judgement's.
    """
    wanted, color = _arguments(session, words, dialect)
    engine, look = session.engine, session.lookahead
    should_stop = look.pending if cancellable else look.abandoned

    def run(emit: Emit) -> None:
        choose = engine.genmove if play else engine.choose
        watch = _watch(session, emit, color, wanted, dialect)
        report = watch["on_report"]
        if dialect == "cgos":  # the server reads one report
            del watch["on_report"]
        decision = choose(color, should_stop=should_stop, **watch)
        if cancellable and decision.stopped:
            emit("play cancelled")
            return
        result = decision.search.led_by(decision.point)
        if "on_report" not in watch or result is not decision.search:
            report(result)
        emit(f"play {decision_text(session, decision)}")
        if play:
            session.journal.note(decision.log_line())

    return Stream(run)


@command("genmove_analyze", "analysis")
@command("kata-genmove_analyze", "analysis")
def kata_genmove_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: play a move and report on the way, as KataGo does."""
    return _generation(session, words, "kata")


@command("lz-genmove_analyze", "analysis")
def lz_genmove_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: play a move and report on the way, as Leela Zero does."""
    return _generation(session, words, "lz")


@command("cgos-genmove_analyze", "cgos")
def cgos_genmove_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR]: play a move and report once, as the server CGOS asks for it. Further arguments are ignored."""
    return _generation(session, words[:1], "cgos")


@command("kata-search_analyze", "katago")
def search_analyze(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: choose a move without playing it and report on the way."""
    return _generation(session, words, "kata", play=False)


@command("kata-search_analyze_cancellable", "katago")
def search_analyze_cancellable(session: Session, words: list[str]) -> Stream:
    """[COLOR] [INTERVAL] [KEY VALUE ...]: as `kata-search_analyze`, but any input ends it."""
    return _generation(session, words, "kata", play=False, cancellable=True)


@command("stop", "analysis")
def stop(session: Session, words: list[str]) -> None:
    """End an analysis, as any line does, and pondering until the engine has played another move."""
    engine = session.loaded()
    if engine is not None:
        engine.rest()


@command("clear_cache", "analysis")
def clear_cache(session: Session, words: list[str]) -> None:
    """Forget the tree and all remembered evaluations."""
    session.engine.forget()


@command("kata-get-models", "katago")
def get_models(session: Session, words: list[str]) -> str:
    """The net that plays, as JSON."""
    import json

    from goengine.nets.weights_file import VERSION

    traits = session.engine.evaluator.traits
    model = {
        "name": traits.name,
        "internalName": traits.name,
        "maxBatchSize": session.engine.batch_size,
        "usesHumanSLProfile": session.engine.human is not None,
        "version": int(VERSION),
        "usingFP16": {"f16": "true", "bf16": "true", "auto": "auto"}.get(traits.device.split()[-1], "false"),
        "features": traits.features,
        "device": traits.device,
    }
    return json.dumps([model])


@command("kata-raw-nn", "katago")
def raw_nn(session: Session, words: list[str]) -> str:
    """`kata-raw-nn [color] 0-7|all [optimism]`: what the net says, without search, for one or all symmetries."""
    from goengine.gtp.raw_net import raw_text

    color, chosen, rest = _views(session, words)
    if len(rest) > 1 and not 0 <= arguments.number(rest, 1, "the optimism") <= 1:
        raise GtpError(f"syntax error: the optimism {rest[1]} is not from 0 to 1; no net here has one, so it changes nothing")
    return "\n".join(raw_text(session.engine.opinion, session.engine.position, color, symmetry) for symmetry in chosen)


@command("kata-raw-human-nn", "katago")
def raw_human_nn(session: Session, words: list[str]) -> str:
    """`kata-raw-human-nn [color] 0-7|all`: as `kata-raw-nn`, what the ranked net says of the profile's players."""
    from goengine.gtp.raw_net import raw_text

    color, chosen, rest = _views(session, words)
    if len(rest) > 1:
        raise GtpError(f"syntax error: '{rest[1]}' comes after the symmetry")
    engine = session.engine
    if engine.human is None:
        raise GtpError("no rank is set: kata-set-param humanSLProfile rank_5k, or start with --rank 5k")
    opinion = engine.human.opinion(color)
    return "\n".join(raw_text(opinion, engine.position, color, symmetry) for symmetry in chosen)


def _views(session: Session, words: list[str]) -> tuple[int, Sequence[int], list[str]]:
    """(color, symmetries, what follows the color). Raises GtpError."""
    named = bool(words) and arguments.is_color(words[0])
    color = arguments.color(words) if named else session.engine.position.to_play
    rest = words[1:] if named else words
    which = arguments.word(rest, 0, "the symmetry").lower()
    if which != "all" and not (arguments.is_integer(which) and 0 <= int(which) <= 7):
        raise GtpError(f"syntax error: symmetry '{which}' is neither 0 to 7 nor all")
    return color, range(8) if which == "all" else (int(which),), rest
