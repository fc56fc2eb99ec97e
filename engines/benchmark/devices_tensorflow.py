"""The devices that TensorFlow can compute on: all graphics cards are "GPU" to it.

Source: the pages tf.config.list_physical_devices and tf.config.experimental.get_device_details of
TensorFlow's documentation. Asking takes no memory of the card; computing would take all of it.
"""

from __future__ import annotations

import tensorflow as tf

from engines.benchmark.machine import Device, accelerator, cpu, nvidia_gpus, on_mac


def devices() -> list[Device]:
    """The processor and each kind of graphics card. AMD's answer to the name of CUDA."""
    cards = tf.config.list_physical_devices("GPU")
    return [
        cpu("tensorflow"),
        accelerator(
            "tensorflow",
            "cuda",
            exists=not on_mac(),
            built=bool(tf.test.is_built_with_cuda() or tf.test.is_built_with_rocm()),
            present=lambda: bool(cards),
            card=lambda: _cuda(cards[0]),
        ),
    ]


def _cuda(card: tf.config.PhysicalDevice) -> tuple[str, int]:
    """Its name and memory. TensorFlow does not say how much it has, but NVIDIA's driver may."""
    name = tf.config.experimental.get_device_details(card).get("device_name", "GPU")
    sizes = {gpu.name: gpu.memory_bytes for gpu in nvidia_gpus()}
    return name + " (ROCm)" * tf.test.is_built_with_rocm(), sizes.get(name, 0)
