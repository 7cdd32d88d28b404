"""The one way to compile a kernel, and the folders where compiled kernels are kept.

A kernel is a numba function over arrays and NamedTuples of arrays. It releases the GIL, keeps IEEE arithmetic (no
``fastmath``) and is cached on disk. numba's cache does not see an edit in a kernel that another kernel calls, so each module's
kernels live in a folder named by a digest of the module's source and of every source of ours that it imports: an edit starts
fresh folders for exactly the modules that it concerns. The same version in another place uses the same folders.

This module knows nothing of Go.
"""

import functools
import hashlib
import os
import re
import tempfile
from pathlib import Path
from types import FunctionType
from typing import ClassVar

import numba
from numba.core import caching

_ROOT = Path(__file__).resolve().parents[2]
_IMPORT = re.compile(rb"^from ((?:goengine|selfplay|training)[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


@functools.cache
def _file_of(module: str) -> Path | None:
    """The source file of one of our modules, None if there is none of that name."""
    path = _ROOT.joinpath(*module.split("."))
    return next((file for file in (path.with_suffix(".py"), path / "__init__.py") if file.is_file()), None)


@functools.cache
def _imports(file: Path) -> frozenset[Path]:
    """The source files of ours that a file imports from."""
    modules = set()
    for package, names in _IMPORT.findall(file.read_bytes()):
        modules.add(package.decode())
        modules |= {f"{package.decode()}.{name}" for name in re.findall(r"\w+", names.decode())}
    return frozenset(path for path in map(_file_of, modules) if path is not None)


@functools.cache
def _digest(file: Path) -> str:
    """Digest of a source file and of all sources of ours that it reaches by imports."""
    reached, todo = {file}, [file]
    while todo:
        new = _imports(todo.pop()) - reached
        reached |= new
        todo += new
    digest = hashlib.sha256()
    for path in sorted(reached):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def cache_root() -> Path:
    """The folder for caches: $GOENGINE_CACHE, else the user's cache folder of the platform."""
    if own := os.environ.get("GOENGINE_CACHE"):
        return Path(own)
    try:
        from platformdirs import user_cache_path
    except ImportError:  # a machine that only trains may have numpy, numba and torch alone
        return Path.home() / ".cache" / "goengine"
    return user_cache_path("goengine", appauthor=False)


@functools.cache
def kernel_folder() -> Path:
    """Where compiled kernels go: in the cache folder, or in the temporary folder if that cannot be written."""
    uid = os.getuid() if hasattr(os, "getuid") else 0
    shared = Path(tempfile.gettempdir()) / f"goengine-{uid}"
    for root in (cache_root(), shared):
        folder = root / "kernels"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            safe = root != shared or root.stat().st_uid == uid  # compiled kernels are code: none that others put there
        except OSError:
            continue
        if safe and os.access(folder, os.W_OK):
            return folder
    return Path(tempfile.mkdtemp(prefix="goengine-kernels-"))


class _VersionLocator(caching._CacheLocator):
    """Where a kernel is cached: by what its sources say, wherever they lie.

    numba's own locators put the source's path into the folder's name and its time of change into the index, so that every
    clone and every installed copy of the same version would compile everything again.
    """

    def __init__(self, function: FunctionType):
        module = Path(function.__code__.co_filename)
        self._digest = _digest(module)
        self._folder = kernel_folder() / f"{module.stem}-{self._digest}"
        self._line = function.__code__.co_firstlineno

    def get_cache_path(self) -> str:
        """The folder of the module's kernels."""
        return str(self._folder)

    def get_source_stamp(self) -> str:
        """What must be equal for a cached kernel to be used."""
        return self._digest

    def get_disambiguator(self) -> str:
        """Tells kernels of one name in one module apart."""
        return str(self._line)

    @classmethod
    def from_function(cls, py_func: FunctionType, py_file: str) -> "_VersionLocator":
        """As numba asks for it."""
        locator = cls(py_func)
        locator.ensure_cache_path()
        return locator


class _VersionCacheImpl(caching.CompileResultCacheImpl):
    _locator_classes: ClassVar = [_VersionLocator]


class _VersionCache(caching.FunctionCache):
    _impl_class = _VersionCacheImpl


def _compile(function, **options):
    dispatcher = numba.njit(nogil=True, error_model="numpy", _nrt=False, **options)(function)
    dispatcher._cache = _VersionCache(function)  # as numba's own enable_caching does with its FunctionCache
    return dispatcher


def kernel(function):
    """Decorator: compile ``function`` with numba, cached, without the GIL, division as in numpy (no exception).

    Kernels allocate nothing: the caller passes scratch arrays. So numba's reference counts are switched off, whose atomic
    increments for every array of a NamedTuple would take half of the time of a move.
    """
    return _compile(function)


def inlined_kernel(function):
    """As `kernel`, and always spliced into its callers: passing a Board costs sixty words, which is as much as a move."""
    return _compile(function, forceinline=True)
