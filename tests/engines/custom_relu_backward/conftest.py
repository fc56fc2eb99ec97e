"""What all visitors share, and no engine may change."""

import gc
import warnings

import numpy as np
import pytest
import torch


@pytest.fixture
def global_state():
    """A function that reads the state of the process."""
    return lambda: (
        torch.get_rng_state().tolist(),
        np.random.get_state()[1].tolist(),
        list(warnings.filters),
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_anomaly_enabled(),
        gc.isenabled(),
    )
