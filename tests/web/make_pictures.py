"""Takes the pictures of the page that docs/web.md shows: python -m tests.web.make_pictures. Needs Chromium.

The game is tests/web/picture.sgf, played by two levels of the engine.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
OUT = ROOT / "docs"
GAME = Path(__file__).parent / "picture.sgf"
PORT = "8590"


def main() -> None:
    """Start a server, look at it, and end it."""
    command = [sys.executable, "-m", "goengine.cli", "web", "--no-browser", "--port", PORT]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server, sync_playwright() as run:
        assert server.stdout is not None
        server.stdout.readline()
        try:
            browser = run.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1080, "height": 780}, color_scheme="light")
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.evaluate("localStorage.setItem('goengine.settings', '{\"analysisVisits\": 1000, \"reviewVisits\": 100}')")
            page.reload()
            _take_all(page)
            browser.close()
        finally:
            server.terminate()


def _take_all(page: Page) -> None:
    page.locator("input[type=file]").set_input_files(GAME)
    expect(page.locator(".said")).to_contain_text("is open")
    page.get_by_role("button", name="Review").click()
    expect(page.locator(".said")).to_contain_text("The review is done", timeout=300_000)
    for _ in range(14):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("a")
    expect(page.get_by_text("1000 visits")).to_be_visible(timeout=120_000)
    _take(page, "web-analysis")
    page.keyboard.press("a")
    page.keyboard.press("End")
    page.get_by_role("button", name="Count").click()
    expect(page.get_by_text("are dead")).to_be_visible(timeout=120_000)
    _take(page, "web-count")
    page.get_by_role("button", name="Close").click()
    _play(page)
    _take(page, "web-play")


def _play(page: Page) -> None:
    """A game just begun, with a clock."""
    page.get_by_role("button", name="New game").click()
    for name, value in (("size", "13"), ("clock", "byoyomi")):
        page.locator(f"dialog [name={name}]").select_option(value)
    page.locator("dialog [name=level]").fill("12")
    page.get_by_role("button", name="Begin").click()
    played = 0
    for vertex in ("D4", "K10", "D10", "K4", "G7", "C7", "F3", "L7", "G11"):
        page.get_by_label("Move", exact=True).fill(vertex)
        page.get_by_role("button", name="Play", exact=True).click()
        if not page.locator(".error").count():  # the engine may stand there
            played += 2
            expect(page.locator(".number")).to_have_text(f"Move {played}", timeout=60_000)


def _take(page: Page, name: str) -> None:
    page.mouse.move(5, 5)
    page.wait_for_timeout(700)  # fades of the board
    path = OUT / f"{name}.png"
    page.screenshot(path=path)
    _shrink(path)
    print(f"{path.relative_to(ROOT)}: {path.stat().st_size // 1000} kB")


def _shrink(path: Path) -> None:
    """Fewer colours, where Pillow is there."""
    from PIL import Image

    with Image.open(path) as picture:
        picture.convert("RGB").quantize(128).save(path, optimize=True)


if __name__ == "__main__":
    main()
