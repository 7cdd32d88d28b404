"""One thread: tests share the machine with whatever else it does."""

import torch

torch.set_num_threads(1)
