"""What this machine is, in words: the line that belongs beside every measurement. Imports no backend; knows no Go."""

import importlib.metadata
import importlib.util
import os
import platform
from dataclasses import dataclass
from pathlib import Path

import llvmlite.binding

PACKAGES = ("numpy", "numba", "openvino", "torch")


@dataclass(frozen=True)
class Machine:
    """A description for people; sizes in GiB, versions by package (only of those that are installed)."""

    system: str
    processor: str
    cores: int  # that this process may use
    memory: float  # 0 where the system does not say
    python: str
    versions: dict[str, str]
    load: float  # processes that wanted to run in the last minute; 0 where the system does not say


def describe() -> Machine:
    """This machine, now."""
    return Machine(
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        processor=_processor(),
        cores=usable_cores(),
        memory=_memory(),
        python=platform.python_version(),
        versions={name: version for name in PACKAGES if (version := installed(name))},
        load=os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0,
    )


def installed(package: str) -> str:
    """Version of an installed package, without importing it; empty if there is none."""
    try:
        return importlib.metadata.version(package) if importable(package) else ""
    except importlib.metadata.PackageNotFoundError:
        return "?"


def importable(package: str) -> bool:
    """Whether a package is installed, without importing it."""
    try:
        return importlib.util.find_spec(package) is not None
    except (ImportError, ValueError):
        return False


def usable_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_has(*features: str) -> bool:
    """Whether this CPU has one of these instruction sets, by LLVM's names."""
    found = llvmlite.binding.get_host_cpu_features()
    return any(found.get(name) for name in features)


def _processor() -> str:
    """The name of the CPU."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, ValueError, OSError):
        return 0.0
