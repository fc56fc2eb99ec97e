"""The devices that PyTorch can compute on: it has one way to ask for each kind.

Source: the pages torch.cuda, torch.backends.mps and torch.xpu of PyTorch's documentation.
"""

from __future__ import annotations

from functools import partial

import torch

from engines.benchmark.machine import Device, accelerator, cpu, on_mac


def devices() -> list[Device]:
    """The processor and each kind of graphics card. AMD's answer to the name of CUDA."""
    look = partial(accelerator, "torch")
    return [
        cpu("torch"),
        look(
            "cuda",
            exists=not on_mac(),
            built=bool(torch.version.cuda or torch.version.hip),
            present=torch.cuda.is_available,
            card=_cuda,
        ),
        look(
            "mps",
            exists=on_mac(),
            built=torch.backends.mps.is_built(),
            present=torch.backends.mps.is_available,
            card=_mps,
        ),
        look(
            "xpu",
            exists=not on_mac(),
            built=bool(torch.version.xpu),
            present=torch.xpu.is_available,
            card=_xpu,
        ),
    ]


def _cuda() -> tuple[str, int]:
    _compute("cuda")
    card = torch.cuda.get_device_properties(0)
    return card.name + " (ROCm)" * bool(torch.version.hip), card.total_memory


def _mps() -> tuple[str, int]:
    _compute("mps")
    return torch.backends.mps.get_name(), torch.mps.recommended_max_memory()


def _xpu() -> tuple[str, int]:
    _compute("xpu")
    card = torch.xpu.get_device_properties(0)
    return card.name, card.total_memory


def _compute(device: str) -> None:
    """Raise RuntimeError for a card that is there and that this build has no code for."""
    torch.ones(1, device=device).add(1).item()
