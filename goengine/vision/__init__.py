"""From a picture to a position: what a reader of pictures answers, where a board lies, what stands on its crossings.

Works on arrays of pixels; needs the extra `vision` (OpenCV) where a module says so. Knows no protocol and no game records.
"""
