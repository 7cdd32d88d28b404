"""What each tab keeps on the server: its game, for a reload where the browser cannot keep it. In memory only."""

import re
from collections import OrderedDict
from typing import Final

MOST_TABS: Final = 64
MOST_BYTES: Final = 64_000_000  # of all tabs together

NAME: Final = re.compile(r"[a-z0-9-]{8,40}")


class Kept:
    """Texts by tab; the ones that were not written for longest make room for new ones."""

    def __init__(self) -> None:
        self._texts: OrderedDict[str, bytes] = OrderedDict()

    def put(self, tab: str, text: bytes) -> None:
        """Keep a text in place of the tab's last one."""
        self._texts.pop(tab, None)
        self._texts[tab] = text
        while len(self._texts) > MOST_TABS or sum(map(len, self._texts.values())) > MOST_BYTES:
            self._texts.popitem(last=False)

    def get(self, tab: str) -> bytes | None:
        """The tab's text; None if there is none."""
        return self._texts.get(tab)
