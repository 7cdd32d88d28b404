"""The devices that torch computes on: what they are, what they can, and what their errors mean.

Knows torch's names for devices and its exceptions, nothing of nets or Go. Everything that runs on a GPU asks here, so that the
same fault is told in the same words.
"""

from typing import Final

import torch
from torch import nn

_MEMORY: Final = ("out of memory", "can't allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
_DEVICE: Final = ("CUDA", "cuDNN", "CUDNN", "CUBLAS", "cuBLAS", "NVML", "NCCL")  # in what drivers and libraries say


def torch_device(name: str) -> str:
    """Torch's name of a device: the project's 'torch-cpu' is torch's 'cpu'."""
    return "cpu" if name == "torch-cpu" else name


def missing(name: str) -> str:
    """Why torch cannot use a device of that name here, and what to do; empty if it can."""
    try:
        device = torch.device(name)
    except RuntimeError:
        return "torch knows no such device; possible: cpu, cuda, cuda:1"
    if device.type != "cuda":
        return ""
    if torch.version.cuda is None and torch.version.hip is None:
        return "this torch was built without CUDA; install one that has it (pytorch.org says how), or take --device torch-cpu"
    count = torch.cuda.device_count()
    if (device.index or 0) < count:
        return ""
    if count:
        return f"torch sees {count} GPU here, the last is cuda:{count - 1}"
    return "torch sees no GPU here; look at nvidia-smi and CUDA_VISIBLE_DEVICES, or take --device torch-cpu"


def failure(error: BaseException, device: str | torch.device) -> str | None:
    """What went wrong on the device and what to do, in a sentence; None if the error is none of the device's."""
    if not isinstance(error, RuntimeError):
        return None
    first = next(iter(str(error).splitlines()), "") or type(error).__name__
    if isinstance(error, torch.OutOfMemoryError) or any(part in first for part in _MEMORY):
        less = "fewer --games, fewer --workers, a smaller --batch or a smaller --net take less"
        return f"{device} has no memory left ({first}); {less}"
    if isinstance(error, torch.AcceleratorError) or any(part in first for part in _DEVICE):
        return f"{device} failed ({first}); start again, and if it fails again look at nvidia-smi and the driver"
    return None


def has_bfloat16(device: torch.device) -> bool:
    """Whether the device computes in bfloat16 itself: its hardware does, and its driver does not refuse."""
    if device.type != "cuda":
        return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())
    with torch.cuda.device(device):
        if not torch.cuda.is_bf16_supported(including_emulation=False):
            return False
        try:
            ones = torch.ones(1, 8, 8, 8, dtype=torch.bfloat16, device=device)
            nn.functional.conv2d(ones, ones).sum().item()
        except torch.OutOfMemoryError:
            return True
        except RuntimeError:
            return False
    return True


def description(device: str) -> str:
    """A device in words: its name, its memory, the number format of nets there. Raises RuntimeError if it cannot be used."""
    place = torch.device(torch_device(device))
    form = "bfloat16" if has_bfloat16(place) else "float32, as it has no fast bfloat16"
    if place.type != "cuda":
        return f"{device}: {form}"
    told = torch.cuda.get_device_properties(place)
    return f"{device}: {told.name}, {told.total_memory / 2**30:.0f} GiB, {form}"
