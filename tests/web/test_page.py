"""The page in Chromium: a game to the count, analysis, SGF, review, tabs, reloads, and an engine that is killed."""

import os
import re
import signal
import subprocess

from goengine.analysis.batch import BatchAnalysis
from goengine.dataio.sgf import read_game
from goengine.evaluators import shipped_nets
from goengine.player.net_source import NetSource
from goengine.review.annotate import annotated, without_review
from goengine.review.reviewer import Reviewer, ReviewSettings
from tests.processes import wait_for
from tests.web.page_support import attach, button, click, expect, load, new_game, nodes, open_page, said, saved, stones

# Black owns the left of the board, White the right, which is one point less; a white stone is dead in the lower left corner.
FINISHED = "(;GM[1]FF[4]SZ[9]KM[0.5]RU[Chinese]AB" + "".join(f"[{c}{r}]" for c in "ce" for r in "abcdefghi") + "AW"
FINISHED += "".join(f"[f{r}][h{r}]" for r in "abcdefghi") + "[ai]PL[B])"
BRANCHED = (
    "(;GM[1]FF[4]CA[UTF-8]SZ[9]KM[6.5]RU[Japanese]PB[A \\] b]C[first: a\\\\b]XX[own\\:value]\n"
    ";B[ee](;W[cc];B[gc]C[äöü 囲碁](;W[cg])(;W[gg];B[];W[tt]))(;W[gg]LB[aa:1][bb:x\\]]TR[cc][dd])(;W[gc]))\n"
)


def test_a_game_is_played_and_taken_back(page):
    new_game(page)
    said(page, "A game begins. Black to play.")
    click(page, 4, 4)
    stones(page, 1, 1)
    said(page, "White ")
    page.get_by_label("Move", exact=True).fill("c3")
    button(page, "Play").click()
    stones(page, 2, 2)
    click(page, 4, 4)
    expect(page.locator(".error")).to_contain_text("E5: there is a stone.")
    page.keyboard.press("u")
    stones(page, 1, 1)
    button(page, "Undo").click()
    stones(page, 0, 0)
    button(page, "Resign").click()
    said(page, "Black resigns. White wins.")
    assert "RE[W+R]" in saved(page)


def test_people_of_a_rank_answer(page):
    new_game(page, rank="12k")
    said(page, "A game begins. Black to play.")
    click(page, 4, 4)
    stones(page, 1, 1)
    said(page, "White ")


def test_a_game_is_counted_with_dead_stones_marked(page):
    load(page, FINISHED)
    stones(page, 18, 19)
    new_game(page, fromHere=True)
    page.keyboard.press("p")
    counting = page.get_by_role("group", name="Count", exact=True)
    expect(counting).to_contain_text("wins by")
    expect(counting).to_contain_text("Black wins by 8.5 points.")
    click(page, 0, 8)
    expect(counting).to_contain_text("0 are dead")
    click(page, 0, 8)
    expect(counting).to_contain_text("Black wins by 8.5 points.")
    button(page, "Agree").click()
    said(page, "Black wins by 8.5 points.")
    assert "RE[B+8.5]" in saved(page)


def test_analysis_is_switched_on_and_off(page):
    page.get_by_label("Visits").select_option("50")
    new_game(page, W="person")
    click(page, 4, 4)
    page.keyboard.press("a")
    panel = page.get_by_role("group", name="Analysis", exact=True)
    expect(panel).to_contain_text("50 visits, White to play")
    expect(page.locator(".shudan-heatlabel").first).to_be_visible()
    expect(page.locator("figcaption")).to_contain_text("Black wins")
    page.get_by_label("Owners").check()
    page.get_by_label("Policy").check()
    expect(page.locator(".shudan-heatlabel")).to_have_count(80)
    page.keyboard.press("ArrowLeft")
    expect(panel).to_contain_text("50 visits, Black to play")
    button(page, "Analysis").click()
    expect(page.locator(".shudan-heatlabel")).to_have_count(0)


def test_variations_come_in_and_go_out_unchanged(page):
    load(page, BRANCHED)
    said(page, ".sgf is open: 4 moves.")
    assert nodes(saved(page)) == nodes(BRANCHED)
    for key in ("End", "ArrowLeft", "ArrowDown", "Home", "ArrowRight", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    said(page, "White G3")
    page.reload()
    expect(page.locator(".number")).to_have_text("Move 2")
    assert nodes(saved(page)) == nodes(BRANCHED)


def test_a_game_is_edited(page):
    load(page, BRANCHED)
    page.keyboard.press("ArrowRight")
    page.get_by_text("Edit", exact=True).click()
    tool = page.get_by_label("A click sets")
    for name, x in (("Triangle", 0), ("Letter", 1), ("Black stone", 2)):
        tool.select_option(name)
        click(page, x, 8)
    page.get_by_label("Comment").fill("a] \\ b")
    text = saved(page)
    assert "B[ee]TR[ai]LB[bi:A]" in text and "AB[ci]C[a\\] \\\\ b]" in nodes(text)
    button(page, "Delete from here").click()
    assert nodes(saved(page)) == nodes(BRANCHED).replace("B[ee]", "B[ee]TR[ai]LB[bi:A]")


def test_files_that_are_no_games_are_refused(page):
    load(page, BRANCHED)
    for text, reason in (
        ("no game", "no game of SGF"),
        ("(;SZ[9];B[aa", None),  # what is there is shown
        ("(;SZ[9]C[" + "x" * 1_000_000 + "])", None),
        ("(;SZ[9];B[aa]?)", "line 1: '?' is no SGF"),
        ("(\n;SZ[9])", None),
        ("(B[aa];SZ[9])", "line 1: 'B' stands before the first node"),
        ("(;SZ[30])", "boards of size 30"),
        ("(;SZ[9:13])", "boards of size 9:13"),
        (b"x" * 5_000_001, "longer than 5 MB"),
        (bytes(range(256)), "stands outside of a game"),
    ):
        attach(page, text, "bad.sgf")
        if reason:
            expect(page.locator(".error")).to_contain_text(reason)
        else:
            said(page, "bad.sgf is open")
            expect(page.locator(".error")).to_have_count(0)


def test_a_file_of_a_thousand_nested_variations(page):
    depth = 1000
    text = "(;SZ[9];B[ee]" + ";W[cc](;B[cd])(;B[dc]" * depth + ")" * depth + ")"
    load(page, text)
    said(page, "is open: 3 moves.")
    assert nodes(saved(page)) == nodes(text)
    page.reload()
    assert nodes(saved(page)) == nodes(text)


def test_a_game_in_another_encoding_is_read(page):
    load(page, "(;CA[GB2312]SZ[9]PB[围棋])".encode("gb2312"))
    expect(page.locator(".name").first).to_have_text("围棋")
    assert "CA[UTF-8]" in saved(page)


def test_a_file_of_several_games_is_saved_whole(page):
    text = "(;SZ[9];B[ee])\n(;SZ[13];B[aa](;W[bb])(;W[cc]))\n"
    load(page, text)
    page.get_by_text("Edit", exact=True).click()
    page.locator("details select").last.select_option(label="2")
    expect(page.locator(".shudan-vertex")).to_have_count(169)
    page.reload()
    expect(page.locator(".shudan-vertex")).to_have_count(169)
    assert nodes(saved(page)) == nodes(text)


def test_a_file_is_dropped(page):
    data = page.evaluate_handle(
        """text => {
            const data = new DataTransfer()
            data.items.add(new File([text], 'dropped.sgf'))
            return data
        }""",
        BRANCHED,
    )
    page.locator(".board").dispatch_event("drop", {"dataTransfer": data})
    said(page, "dropped.sgf is open: 4 moves.")


def test_a_person_runs_out_of_time(page):
    new_game(page, W="person", clock="absolute", main="0.02")
    said(page, "Black's time is up. White wins.")
    assert "RE[W+T]" in saved(page)


def test_suicide_ko_and_superko_are_refused(page):
    load(page, "(;SZ[9]RU[Japanese]AB[ba][ab][bb]AW[ca][ac][bc]PL[W])")
    click(page, 0, 0)
    expect(page.locator(".error")).to_contain_text("A9: that would be suicide.")
    for rules, moves, reason in (
        ("Japanese", "", "take back the ko"),
        ("Japanese", ";W[];B[]", ""),
        ("chinese-ogs", ";W[];B[]", "repeat a position"),
    ):
        load(page, f"(;SZ[9]RU[{rules}]AB[ba][ab][bc]AW[ca][db][cc][bb]PL[B];B[cb]{moves})")
        page.keyboard.press("End")
        click(page, 1, 1)
        if reason:
            expect(page.locator(".error")).to_contain_text(reason)
        else:
            said(page, "White B8")


def test_a_server_that_ends_and_comes_back(browser, started):
    first, address = started("--net", "uniform")
    context = browser.new_context()
    page = open_page(context, address)
    new_game(page)
    click(page, 4, 4)
    stones(page, 1, 1)
    first.kill()
    expect(page.locator(".banner")).to_contain_text("goengine web does not answer")
    click(page, 2, 2)
    first.wait()
    started("--net", "uniform", port=int(address.rstrip("/").rpartition(":")[2]))
    stones(page, 2, 2)
    expect(page.locator(".banner")).to_be_hidden()
    context.close()


def test_a_review_finds_the_mistakes(page):
    page.evaluate("localStorage.setItem('goengine.settings', JSON.stringify({reviewVisits: 4}))")
    page.reload()
    load(page, "(;SZ[9]" + "".join(f";B[{c}c];W[{c}g]" for c in "abcdefghi") + ")")
    button(page, "Review").click()
    said(page, "The review is done")
    expect(page.locator(".graph circle")).to_have_count(19)
    expect(page.locator(".figures")).to_contain_text("Accuracy")
    button(page, "Write into the game").click()
    assert saved(page).count("SBKV[") == 19
    page.set_viewport_size({"width": 360, "height": 740})
    wait_for(lambda: page.evaluate("document.documentElement.scrollWidth") <= 360)


# Black wastes moves on the first line: mistakes for any net. A person has judged one, and put a label and words on it.
BLUNDERS = (
    "(;GM[1]FF[4]SZ[9]KM[7]RU[Chinese]C[mine];B[ee];W[ge];B[aa]C[why?](;W[gc];B[ia]TE[1]LB[ee:x];W[cc];B[ai];W[cg])(;W[dd]))"
)


def test_a_review_is_written_as_goengine_review_does(page):
    net = next(iter(shipped_nets.names()))
    page.evaluate(f"localStorage.setItem('goengine.settings', JSON.stringify({{reviewVisits: 24, net: '{net}'}}))")
    page.reload()
    load(page, BLUNDERS)
    button(page, "Review").click()
    said(page, "The review is done")
    button(page, "Write into the game").click()
    said(page, "The review is written into the game.")
    once = saved(page)
    with BatchAnalysis(NetSource(net, threads=1, by_key=True)) as analysis:
        review = Reviewer(analysis, ReviewSettings(visits=24)).review(read_game(BLUNDERS.encode()))
    assert any(move.mistake for move in review.reviewed)
    expected = annotated(BLUNDERS.encode(), review)
    assert properties(once) == properties(expected.decode())
    assert properties(without_review(once.encode()).decode()) == properties(BLUNDERS)
    page.keyboard.press("ArrowDown")
    button(page, "Write into the game").click()
    assert saved(page) == once


def properties(text) -> list:
    """The nodes of a text with what they have, in whatever order; a bracket for each that opens or closes."""
    found = re.findall(r"[()]|;(?:\s*[A-Z]+(?:\s*\[(?:\\.|[^]\\])*\])+)*", text)
    return [sorted(re.findall(r"[A-Z]+(?:\[(?:\\.|[^]\\])*\])+", node)) or node for node in found]


def test_two_tabs_keep_two_games(page, address):
    new_game(page)
    click(page, 4, 4)
    stones(page, 1, 1)
    other = open_page(page.context, address)
    stones(other, 0, 0)
    new_game(other, B="engine", W="person")
    stones(other, 1, 0)
    click(page, 0, 0)
    stones(page, 2, 2)
    other.reload()
    page.reload()
    stones(other, 1, 0)
    stones(page, 2, 2)


def test_a_copied_tab_has_a_game_of_its_own(page):
    new_game(page, W="person")
    click(page, 4, 4)
    stones(page, 1, 0)
    wait_for(lambda: page.evaluate("Object.values(localStorage).some(text => text.includes('B[ee]'))"))
    with page.context.expect_page() as opened:
        page.evaluate("window.open(location.href)")  # with a copy of this tab's session
    other = opened.value
    stones(other, 1, 0)
    click(other, 2, 2)
    stones(other, 1, 1)
    page.reload()
    stones(page, 1, 0)
    other.reload()
    stones(other, 1, 1)


def test_a_reload_in_the_middle_of_a_game_loses_nothing(page):
    new_game(page, clock="fischer", main="50", increment="10")
    click(page, 4, 4)
    stones(page, 1, 1)
    before = saved(page)
    page.get_by_label("Comment").fill("kept")
    page.reload()
    stones(page, 1, 1)
    expect(page.get_by_role("timer", name="Black's time")).to_contain_text(re.compile(r"(4\d|50):\d\d"))
    assert saved(page).replace("C[kept]", "") == before
    click(page, 2, 2)
    stones(page, 2, 2)


def test_the_server_keeps_the_game_where_the_browser_does_not(page):
    new_game(page, W="person")
    click(page, 4, 4)
    with page.expect_response(lambda response: "W[cc]" in (response.request.post_data or "")):
        click(page, 2, 2)
    page.evaluate("window.addEventListener('pagehide', () => localStorage.clear())")
    page.reload()
    stones(page, 1, 1)


def test_two_nets_play_while_one_watches(page):
    new_game(page, size="19", B="engine", W="engine", Bnet="uniform", Wnet="uniform", visits="20")
    expect(page.locator(".number")).to_have_text(re.compile(r"Move ([5-9]|\d\d)"))
    button(page, "Pause").click()
    expect(button(page, "Go on")).to_be_visible()
    button(page, "Go on").click()
    expect(button(page, "Pause")).to_be_visible()


# Notes all that the banner says: it may be gone before somebody looks.
BANNERS = """() => {
    window.banners = []
    const look = () => banners.push(document.querySelector('.banner')?.textContent ?? '')
    new MutationObserver(look).observe(document.body, {subtree: true, childList: true, characterData: true, attributes: true})
}"""


def test_an_engine_that_is_killed_comes_back(page, address):
    new_game(page)
    click(page, 4, 4)
    stones(page, 1, 1)
    page.evaluate(BANNERS)
    os.kill(worker(address), signal.SIGKILL)
    wait_for(lambda: page.evaluate("banners.some(text => text.includes('The engine has ended. It is started again.'))"))
    click(page, 2, 2)
    stones(page, 2, 2)
    expect(page.locator(".banner")).to_be_hidden()


def worker(address) -> int:
    """The engine's process of the server at an address."""
    port = address.rstrip("/").rpartition(":")[2]
    server = subprocess.check_output(["pgrep", "-f", f"goengine.cli web .*--port {port} "], text=True).split()[0]
    return int(subprocess.check_output(["pgrep", "-P", server], text=True).split()[0])


def test_colours_and_a_narrow_window(page):
    page.get_by_label("Colours of the page").select_option("dark")
    expect(page.locator("body")).to_have_css("background-color", "rgb(27, 28, 30)")
    page.set_viewport_size({"width": 360, "height": 740})
    expect(page.locator(".shudan-goban")).to_be_visible()
    wait_for(lambda: page.evaluate("document.documentElement.scrollWidth") <= 360)


def test_every_control_has_a_name(page):
    names = page.locator("button, select, input:not([hidden]), textarea").evaluate_all(
        "all => all.map(e => e.ariaLabel || e.textContent || e.labels?.[0]?.textContent || '')"
    )
    assert len(names) > 15 and all(name.strip() for name in names)
    expect(page.get_by_role("status")).to_have_attribute("aria-live", "polite")
