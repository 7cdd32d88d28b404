"""Pictures of boards that a page sends: read one after the other, beside the engine. Knows bodies and answers; no pages."""

from typing import Any, Final

import anyio
from anyio import to_thread
from starlette.responses import JSONResponse, Response

from goengine.vision.door import INSTALL, PictureFileError, decode
from goengine.vision.reader import PictureReader, load

MOST_WAITING: Final = 8  # pictures, that under way included


class Pictures:
    """The reader of a server. threads: of its nets, None: their own choice."""

    def __init__(self, threads: int | None = None) -> None:
        self._threads = threads or 0
        self._reader: PictureReader | None = None
        self._one_at_a_time = anyio.Lock()
        self._waiting = 0

    async def answer(self, data: bytes) -> Response:
        """What is on a picture (bytes of a file, or the text of a data URL), or why nothing is."""
        if self._waiting >= MOST_WAITING:
            return JSONResponse({"error": "other pictures are being read; try again in a moment"}, 429)
        self._waiting += 1
        try:
            async with self._one_at_a_time:
                return JSONResponse(await to_thread.run_sync(self._read, data))
        except PictureFileError as error:
            return JSONResponse({"error": f"The picture {error}" if str(error) != INSTALL else INSTALL}, 422)
        finally:
            self._waiting -= 1

    def _read(self, data: bytes) -> dict[str, Any]:
        from goengine.vision import answers
        from goengine.vision.from_picture import boards_by

        picture = decode(data)
        if self._reader is None:
            self._reader = load(threads=self._threads)
        boards = boards_by(self._reader, picture)
        told = [answers.to_json(board, number, picture.scale) for number, board in enumerate(boards, 1)]
        return {"width": picture.width, "height": picture.height, "notes": list(picture.notes), "boards": told}
