"""The page of a review in a browser, where there is one: it draws, and nothing of a game runs."""

import re
import shutil
import subprocess

import pytest

from goengine.review import command

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
EVIL = "</script><script>document.title='run'</script><img src=x onerror=\"document.title='run'\">"


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_page_in_a_browser(tmp_path):
    game = f"(;SZ[9]PB[{EVIL}]C[{EVIL}];B[ee]C[{EVIL}];W[gc];B[ed];W[ec])"
    (tmp_path / "a.sgf").write_text(game)
    assert command.main([str(tmp_path / "a.sgf"), "--net", "uniform", "--visits", "4"]) == 0
    words = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    page = f"file://{tmp_path / 'a-review.html'}#move-3"
    done = subprocess.run([*words, page], capture_output=True, text=True, timeout=300, check=False)
    if not done.stdout:
        pytest.skip(f"Chromium does not start here: {done.stderr[-200:]}")
    stones = re.search(r'<g id="stones">(.*?)</g>', done.stdout, re.DOTALL)[1]
    assert stones.count('fill="#111"') == 2 and stones.count('fill="#fafafa"') == 1
    assert re.search(r'id="status"[^>]*>Move 3: Black E6\. ', done.stdout)
    assert "<title>run</title>" not in done.stdout and "<img" not in done.stdout
