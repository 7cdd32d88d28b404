"""Pictures of boards on the page in Chromium: read, corrected, played, chosen from, refused, dropped."""

import base64

from tests.vision.boards import chess, draw, encoded
from tests.vision.boards import page as boards_page
from tests.web.page_support import button, click, drawn, expect, nodes, said, saved, stones


def reading(page):
    return page.get_by_role("dialog", name="Position of a picture")


def show_picture(page, picture, name="board.png"):
    """Give the page a picture and wait until it is read and shown."""
    data = {"name": name, "mimeType": "image/png", "buffer": picture}
    page.get_by_label("Picture of a board").set_input_files(data)
    expect(reading(page)).to_be_visible()
    page.wait_for_function("() => document.querySelector('.seen img')?.naturalWidth > 0")


def shown(page, black, white):
    expect(page.locator(".seen circle.black")).to_have_count(black)
    expect(page.locator(".seen circle.white")).to_have_count(white)


def click_read(page, x, y):
    drawn(page)
    reading(page).locator(f"[data-x='{x}'][data-y='{y}']").click()
    drawn(page)


PICTURED = ["........."] * 3 + ["..XO....."] + ["........."] * 5


def test_a_picture_is_read_corrected_and_played(page):
    show_picture(page, encoded(draw(PICTURED, 30)))
    shown(page, 1, 1)
    read_stones = reading(page).locator(".shudan-sign_1 .shudan-shadow")
    expect(read_stones).to_have_count(1)
    click_read(page, 4, 4)  # empty becomes black
    expect(read_stones).to_have_count(2)
    click_read(page, 2, 3)  # black becomes white
    expect(read_stones).to_have_count(1)
    click_read(page, 3, 3)  # white becomes empty
    expect(reading(page).locator(".shudan-sign_-1 .shudan-shadow")).to_have_count(1)
    reading(page).locator("select[name=toPlay]").select_option("W")
    button(page, "Use this position").click()
    expect(reading(page)).to_have_count(0)
    said(page, "The position of the picture. White to play.")
    stones(page, 1, 1)
    click(page, 0, 0)
    stones(page, 1, 2)
    text = nodes(saved(page))
    assert "AB[ee]" in text and "AW[cd]" in text and "PL[W]" in text and "SZ[9]" in text and ";W[aa]" in text


def test_of_several_boards_one_is_chosen(page):
    other = ["......."] * 3 + ["..X.X.."] + ["......."] * 3
    show_picture(page, encoded(boards_page(draw(PICTURED, 30), draw([line + "......" for line in other + other[:6]], 24))))
    chosen = reading(page).locator("select[name=board]")
    expect(chosen.locator("option")).to_have_count(2)
    for index, points in ((1, 169), (0, 81), (1, 169)):
        chosen.select_option(index=index)
        expect(page.locator(".seen circle")).to_have_count(points)
    button(page, "Cancel").click()
    expect(reading(page)).to_have_count(0)
    stones(page, 0, 0)


def test_pictures_without_a_board_are_told(page):
    for data, reason in ((encoded(chess()), "The picture shows no Go board"), (b"\x89PNG\r\n\x1a\n", "The picture is broken")):
        page.get_by_label("Picture of a board").set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": data})
        expect(page.locator(".error")).to_contain_text(reason)
        page.problems[:] = [problem for problem in page.problems if "422" not in problem]  # which Chromium logs
    expect(reading(page)).to_have_count(0)


def test_a_picture_is_dropped(page):
    text = base64.b64encode(encoded(draw(PICTURED, 30))).decode()
    page.evaluate(
        """text => {
          const bytes = Uint8Array.from(atob(text), letter => letter.charCodeAt(0))
          const data = new DataTransfer()
          data.items.add(new File([bytes], 'dropped.png', {type: 'image/png'}))
          const drop = new DragEvent('drop', {dataTransfer: data, bubbles: true, cancelable: true})
          document.querySelector('.page').dispatchEvent(drop)
        }""",
        text,
    )
    expect(reading(page)).to_be_visible()
    shown(page, 1, 1)
