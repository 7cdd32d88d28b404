"""The one way to compile a kernel, and the folder where compiled kernels are kept.

A kernel is a numba function over arrays and NamedTuples of arrays. It releases the GIL, keeps IEEE arithmetic (no
``fastmath``) and is cached on disk. numba's cache does not see an edit in a kernel that another kernel calls, so the cache
folder is named by a digest of every source file that defines kernels: an edit anywhere starts a fresh folder.

This module knows nothing of Go.
"""

import hashlib
import os
import sys
import tempfile
from pathlib import Path

import numba

_PACKAGES = ("goengine", "selfplay", "training")


def _source_files() -> list[Path]:
    root = Path(__file__).resolve().parent.parent
    return sorted(path for package in _PACKAGES for path in (root / package).rglob("*.py"))


def sources_digest() -> str:
    """Hexadecimal digest (16 characters) of all source files that define kernels, and of the numba version."""
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    for path in _source_files():
        text = path.read_bytes()
        if b"@kernel" in text:
            digest.update(path.name.encode() + b"\0" + text)
    return digest.hexdigest()[:16]


def _user_cache() -> Path:
    """The folder for caches: $GOENGINE_CACHE, else the user's cache folder of the platform."""
    if own := os.environ.get("GOENGINE_CACHE"):
        return Path(own)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "goengine"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "goengine"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "goengine"


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _choose_cache_folder() -> Path:
    """The first writable of the user's cache folder and the temporary folder, with the digest of the sources appended."""
    digest = sources_digest()
    preferred = _user_cache() / "kernels" / digest
    if _writable(preferred):
        return preferred
    fallback = Path(tempfile.gettempdir()) / "goengine-kernels" / digest
    fallback.mkdir(parents=True, exist_ok=True)
    return fallback


CACHE_FOLDER = _choose_cache_folder()
numba.config.CACHE_DIR = str(CACHE_FOLDER)


def kernel(function):
    """Decorator: compile ``function`` with numba, cached, without the GIL, division as in numpy (no exception).

    Kernels allocate nothing: the caller passes scratch arrays. So numba's reference counts are switched off, whose atomic
    increments for every array of a NamedTuple would take half of the time of a move.
    """
    return numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False)(function)


def inlined_kernel(function):
    """As `kernel`, and always spliced into its callers: passing a Board costs sixty words, which is as much as a move."""
    return numba.njit(cache=True, nogil=True, error_model="numpy", _nrt=False, forceinline=True)(function)
