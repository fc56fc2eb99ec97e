"""What this machine is, and which of its devices each framework can compute on.

Asked by the process that measures, so that all it says holds for that process: in a container or on
a shared machine a process may use less than what is built in. Only `devices` loads a framework.
"""

from __future__ import annotations

import math
import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from engines.benchmark.recording import Gpu, Machine

PROCESSOR = Path("/proc/cpuinfo")
CONTROL_GROUP = Path("/proc/self/cgroup")  # which of the control groups this process is in
CONTROL_GROUPS = Path("/sys/fs/cgroup")  # of both versions, as in the manual page cgroups(7)
COUNTERS = Path("/proc/vmstat")
TIMEOUT = 5  # seconds that a program we ask may take

# The kinds of device a framework may compute on, and the module that looks for them.
KINDS = {
    "numpy": ("cpu",),
    "torch": ("cpu", "cuda", "mps", "xpu"),
    "tensorflow": ("cpu", "cuda"),  # on Apple's it gives no way to wait until it has done
}
LOOKING = {
    "torch": "engines.benchmark.devices_torch",
    "tensorflow": "engines.benchmark.devices_tensorflow",
}
REASONS = (
    "not installed",  # the framework is not here
    "import fails",  # it is here and cannot be loaded
    "not this system",  # this kind of device does not exist on this operating system
    "not built",  # this build of the framework cannot use such a device
    "no driver or card",  # it could, and finds none
    "card not usable",  # there is one, and this build and its driver do not work together
    "little memory",  # too little to load the framework, which was not asked
)


class Device(NamedTuple):
    """A kind of device, and whether the framework can compute on it here.

    reason: one of REASONS if it is not found, else empty. Memory 0: the framework does not say.
    """

    framework: str
    kind: str
    found: bool
    name: str
    reason: str
    memory_bytes: int


def this_machine(name: str = "", devices: Iterable[Device] = ()) -> Machine:
    """The machine, without the name of its owner or host.

    devices: those that frameworks have found. They name the cards of AMD and Intel, which the
    system itself does not.
    """
    found = dict.fromkeys(
        Gpu(device.name, device.memory_bytes, driver="")
        for device in devices
        if device.found and device.kind != "cpu"
    )
    gpus = nvidia_gpus() or _apple_gpu() or tuple(found)
    available = cores()
    counted = f"{available} core{'s' * (available > 1)}"
    return Machine(
        name=name or (gpus[0].name if gpus else f"{counted}, no GPU found"),
        processor=processor(),
        cores=available,
        memory_bytes=memory(),
        system=operating_system(),
        gpus=gpus,
    )


def libraries() -> dict[str, str]:
    """Versions of Python, of each framework installed, and of the CUDA that a loaded one uses."""
    found: dict[str, Any] = {
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "torch": version("torch"),
        "tensorflow": version("tensorflow") or version("tensorflow-cpu"),
    }
    if (tf := sys.modules.get("tensorflow")) and tf.config.list_physical_devices("GPU"):
        build = tf.sysconfig.get_build_info()
        found |= {"cuda": build.get("cuda_version"), "cudnn": build.get("cudnn_version")}
    if (torch := sys.modules.get("torch")) and torch.cuda.is_available():
        found |= {"cuda": torch.version.cuda, "rocm": torch.version.hip}
        with suppress(RuntimeError):  # a cuDNN too new for the card says so by raising
            found["cudnn"] = torch.backends.cudnn.version()
    return {library: str(number) for library, number in found.items() if number}


def version(distribution: str) -> str:
    """The version of a package, or "" if it is not installed. Does not load it."""
    with suppress(metadata.PackageNotFoundError):
        return metadata.version(distribution)
    return ""


# Processor, memory and system


def processor() -> str:
    """Its model, or where nobody knows it its architecture."""
    model = ""
    match platform.system():
        case "Linux":
            model = model_in(_text(PROCESSOR)) or model_in(_printed("lscpu"))
        case "Darwin":
            model = _printed("sysctl", "-n", "machdep.cpu.brand_string")
        case "Windows":
            model = _model_in_registry()
    return " ".join(model.split()) or platform.processor() or platform.machine()


def model_in(text: str) -> str:
    """The processor's model in /proc/cpuinfo, or in what `lscpu` prints, or "".

    The names are those of x86, of older and of newer ARM boards, and of POWER. An ARM server gives
    only numbers in /proc/cpuinfo, which lscpu knows the names of.
    """
    lines = (line.partition(":") for line in text.splitlines())
    values = {key.strip(): value.strip() for key, _, value in lines}
    keys = "model name", "Model name", "Hardware", "Model", "cpu"
    named = (values.get(key, "") for key in keys)
    return next((name for name in named if name.strip("-") and not name.isdigit()), "")


def _model_in_registry() -> str:
    winreg = import_module("winreg")
    path = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, path) as key:
        return str(winreg.QueryValueEx(key, "ProcessorNameString")[0])


def operating_system() -> str:
    """Its name and version, such as "Linux 6.1" or "macOS 15.5"."""
    name, release = platform.system(), platform.release()
    if name == "Darwin":
        name, release = "macOS", platform.mac_ver()[0]
    return " ".join([name, *re.findall(r"^\d+(?:\.\d+)?", release)])


def cores() -> int:
    """Cores that this process may use at a time, a container's quota rounded up."""
    usable = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    return math.ceil(min([usable, *map(_quota, _groups("cpu"))]))


def memory() -> int:
    """Bytes of memory, or as many of them as a container is given."""
    return int(min([psutil.virtual_memory().total, *map(_limit, _groups("memory"))]))


def memory_free() -> int:
    """Bytes that this process may still allocate without pushing anything out of memory."""
    left = [_limit(group) - _used(group) for group in _groups("memory")]
    return max(0, int(min([psutil.virtual_memory().available, *left])))


def killed_for_memory() -> int:
    """How many processes the system has ended so far because memory ran out; 0 if not known."""
    found = re.search(r"^oom_kill (\d+)$", _text(COUNTERS), re.MULTILINE)
    return int(found[1]) if found else 0


def _groups(controller: str) -> list[Path]:
    """The control group of this process and those above it: each may set a limit.

    In version 2 there is one tree of groups (a line "0::/own/group"), in version 1 one for each
    controller or for some together ("3:cpu,cpuacct:/own/group"). Both may be there at once.
    """
    found = []
    for line in _text(CONTROL_GROUP).splitlines():
        number, controllers, own = line.split(":", 2)
        if number == "0" and not controllers:
            tree = CONTROL_GROUPS
        elif controller in controllers.split(","):
            trees = [CONTROL_GROUPS / name for name in (controller, controllers)]
            tree = next((one for one in trees if one.is_dir()), trees[0])
        else:
            continue
        group = tree / own.lstrip("/")
        # In a container the path may be the one outside of it: its group is then the tree's root.
        found += [group, *(above for above in group.parents if above.is_relative_to(tree))]
    return found


def _quota(group: Path) -> float:
    """Cores that a group allows, such as 1.5; infinity without a limit."""
    allowed, _, period = _text(group / "cpu.max").partition(" ")
    if not allowed:  # version 1 has two files, and says −1 where there is no limit
        allowed, period = _text(group / "cpu.cfs_quota_us"), _text(group / "cpu.cfs_period_us")
    return int(allowed) / int(period) if allowed.strip().isdigit() else math.inf


def _limit(group: Path) -> float:
    text = _text(group / "memory.max") or _text(group / "memory.limit_in_bytes")
    return int(text) if text.strip().isdigit() else math.inf


def _used(group: Path) -> int:
    """Memory in use, without the copies of files that the system drops when it needs the room."""
    text = _text(group / "memory.stat")  # version 1 has a total with that of the groups below
    files = re.search(r"^total_inactive_file (\d+)$", text, re.MULTILINE) or re.search(
        r"^inactive_file (\d+)$", text, re.MULTILINE
    )
    used = _text(group / "memory.current") or _text(group / "memory.usage_in_bytes")
    return int(used or 0) - (int(files[1]) if files else 0)


def _text(path: Path) -> str:
    with suppress(OSError):
        return path.read_text(encoding="utf-8", errors="replace")
    return ""


def _printed(*command: str) -> str:
    """What a program prints, or "" where there is no such program, or it fails or hangs."""
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            command,
            capture_output=True,
            check=True,
            timeout=TIMEOUT,
            text=True,
            errors="replace",
            env={**os.environ, "LC_ALL": "C"},
        )
        return done.stdout.strip()
    return ""


# Graphics cards


def nvidia_gpus() -> tuple[Gpu, ...]:
    """NVIDIA's cards, as their driver's own program names them."""
    asked = "--query-gpu=name,memory.total,driver_version"
    return gpus_in(_printed("nvidia-smi", asked, "--format=csv,noheader,nounits"))


def gpus_in(text: str) -> tuple[Gpu, ...]:
    """The cards that nvidia-smi prints, one a line: name, MiB of memory, driver."""
    lines = [line.rsplit(", ", 2) for line in text.splitlines()]
    return tuple(
        # Where card and processor share their memory it says [N/A].
        Gpu(name, int(mib) * 2**20 if mib.isdigit() else 0, driver)
        for name, mib, driver in (line for line in lines if len(line) == 3)
    )


def _apple_gpu() -> tuple[Gpu, ...]:
    """An Apple processor is a graphics card too, which has no memory of its own."""
    apple = platform.system() == "Darwin" and platform.machine() == "arm64"
    return (Gpu(processor(), 0, driver=""),) if apple else ()


# Devices


def devices(framework: str) -> list[Device]:
    """Each kind of device that numpy, torch or tensorflow knows. Loads the framework."""
    if framework == "numpy":
        return [cpu(framework)]
    try:
        looking = import_module(LOOKING[framework])
    except Exception:  # an installation that is broken raises whatever it runs into
        return none_found(framework, "import fails" if find_spec(framework) else "not installed")
    found: list[Device] = looking.devices()
    return found


def none_found(framework: str, reason: str) -> list[Device]:
    """All kinds of device that a framework knows, none of them found for the same reason."""
    return [Device(framework, kind, False, "", reason, 0) for kind in KINDS[framework]]


def cpu(framework: str) -> Device:
    """The processor, which every framework can compute on."""
    return Device(framework, "cpu", True, processor(), "", memory())


def accelerator(
    framework: str,
    kind: str,
    *,
    exists: bool,
    built: bool,
    present: Callable[[], bool],
    card: Callable[[], tuple[str, int]],
) -> Device:
    """A graphics card, or the first of the reasons for which there is none.

    exists: on this operating system. built: the framework for it. card: its name and memory.
    """
    if not exists:
        reason = "not this system"
    elif not built:
        reason = "not built"
    else:
        reason = "no driver or card"
        try:
            if present():
                name, size = card()
                return Device(framework, kind, True, name, "", size)
            if kind == "cuda" and nvidia_gpus():
                reason = "card not usable"
        except RuntimeError:
            reason = "card not usable"
    return Device(framework, kind, False, "", reason, 0)


def on_mac() -> bool:
    """Metal exists nowhere else, and CUDA and XPU not here."""
    return platform.system() == "Darwin"
