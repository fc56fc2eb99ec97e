"""What is said of a machine: this one, and machines faked from what their systems would answer."""

import json
import os
import platform
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, metadata
from types import SimpleNamespace

import psutil
import pytest
import tensorflow
import torch

from engines.benchmark import devices_tensorflow, devices_torch, machine
from engines.benchmark.machine import Device, devices, libraries, memory_free, this_machine
from engines.benchmark.recording import Gpu

GIB = 2**30
H200 = Gpu("NVIDIA H200", 143771 * 2**20, "570.86.15")


def by_kind(framework):
    return {device.kind: device for device in devices(framework)}


@pytest.fixture
def container(tmp_path, monkeypatch):
    """A function that writes a control group's files, by default those of the process's own."""
    monkeypatch.setattr(machine, "CONTROL_GROUP", tmp_path / "own")
    monkeypatch.setattr(machine, "CONTROL_GROUPS", tmp_path / "groups")
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(16), raising=False)
    memory = SimpleNamespace(total=64 * GIB, available=40 * GIB)
    monkeypatch.setattr(psutil, "virtual_memory", lambda: memory)
    (tmp_path / "own").write_text("0::/app/worker\n")

    def write(group="app/worker", **texts):
        folder = tmp_path / "groups" / group
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (folder / name.replace("_", ".")).write_text(text)

    return write


@pytest.fixture
def system(monkeypatch):
    """A function that fakes the operating system, and what its programs print."""

    def fake(name, machine_type="x86_64", release="", **printed):
        monkeypatch.setattr(platform, "system", lambda: name)
        monkeypatch.setattr(platform, "machine", lambda: machine_type)
        monkeypatch.setattr(platform, "release", lambda: release)
        monkeypatch.setattr(platform, "processor", lambda: "")
        monkeypatch.setattr(platform, "mac_ver", lambda: (release, ("", "", ""), machine_type))
        texts = {name.replace("_", "-"): text for name, text in printed.items()}
        monkeypatch.setattr(machine, "_printed", lambda *command: texts.get(command[0], ""))

    return fake


# This machine


def test_this_machine_says_what_is_true_of_it():
    here = this_machine()
    assert here.processor
    assert 1 <= here.cores <= os.cpu_count()
    assert 0 < memory_free() < here.memory_bytes <= psutil.virtual_memory().total
    assert here.system.split()[0] in ("Linux", "macOS", "Windows")
    assert this_machine("The one in room 12")[1:] == here[1:]
    assert this_machine("The one in room 12").name == "The one in room 12"


def test_the_host_is_not_named(monkeypatch):
    for asked in (socket, platform):
        monkeypatch.setattr(asked, "gethostname" if asked is socket else "node", lambda: "anna-pc")
    named = platform.uname()._replace(node="anna-pc", release="6.1.0-anna-pc")
    monkeypatch.setattr(platform, "uname", lambda: named)
    assert "anna" not in str(this_machine())


@pytest.mark.parametrize("framework", machine.KINDS)
def test_every_framework_finds_the_processor_and_gives_a_reason_for_what_it_does_not_find(
    framework,
):
    found = devices(framework)
    assert tuple(device.kind for device in found) == machine.KINDS[framework]
    assert found[0] == Device(framework, "cpu", True, machine.processor(), "", machine.memory())
    for device in found:
        assert device.framework == framework
        assert device.found == (device.reason == "")
        assert device.found or device.reason in machine.REASONS
    assert [Device(**json.loads(json.dumps(device._asdict()))) for device in found] == found


def test_what_the_frameworks_say_of_this_machine_is_what_they_find():
    assert by_kind("torch")["cuda"].found == torch.cuda.is_available()
    assert by_kind("torch")["mps"].found == torch.backends.mps.is_available()
    cards = tensorflow.config.list_physical_devices("GPU")
    assert any(device.found for device in devices("tensorflow")[1:]) == bool(cards)


def test_asking_for_the_machine_and_its_libraries_loads_no_framework():
    script = (
        "import sys; from engines.benchmark.machine import *;"
        "this_machine(), libraries(), memory_free();"
        "print({'torch', 'tensorflow'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"


def test_the_libraries_are_those_installed():
    found = libraries()
    assert found["python"] == platform.python_version()
    assert found["torch"] == torch.__version__
    assert found["tensorflow"] == tensorflow.__version__
    assert found["numpy"] == metadata("numpy")["Version"]


# Processor and system


@pytest.mark.parametrize(
    ("text", "model"),
    [
        ("cpu family\t: 25\nmodel\t\t: 97\nmodel name\t: AMD Ryzen 9 7950X\n", "AMD Ryzen 9 7950X"),
        ("processor\t: 0\nBogoMIPS\t: 108.00\n\nModel\t\t: Raspberry Pi 5\n", "Raspberry Pi 5"),
        ("processor\t: 0\n\nHardware\t: BCM2835\nModel\t\t: Raspberry Pi 3\n", "BCM2835"),
        ("processor : 0\ncpu : POWER9, altivec supported\n", "POWER9, altivec supported"),
        ("Architecture:  aarch64\nModel name:    Neoverse-V2\nModel:   0\n", "Neoverse-V2"),
        ("Vendor ID:  Apple\nModel name:  -\nModel:  0\n", ""),
        ("processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd4f\n", ""),
        ("", ""),
    ],
)
def test_a_processor_is_named_as_its_system_names_it(text, model):
    assert machine.model_in(text) == model


def test_an_arm_server_is_named_by_lscpu(system, tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "PROCESSOR", tmp_path / "cpuinfo")
    (tmp_path / "cpuinfo").write_text("processor : 0\nCPU part : 0xd4f\n")
    system("Linux", "aarch64", lscpu="Model name: Neoverse-V2")
    assert machine.processor() == "Neoverse-V2"
    system("Linux", "aarch64")
    assert machine.processor() == "aarch64"


def test_a_processor_on_windows_is_named_by_the_registry(system, monkeypatch):
    class Key:
        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    values = {"ProcessorNameString": ("Intel(R) Xeon(R) CPU           X5650  @ 2.67GHz ", 1)}
    registry = SimpleNamespace(
        HKEY_LOCAL_MACHINE=0, OpenKey=lambda *_: Key(), QueryValueEx=lambda _, name: values[name]
    )
    monkeypatch.setitem(sys.modules, "winreg", registry)
    system("Windows", release="11")
    assert machine.processor() == "Intel(R) Xeon(R) CPU X5650 @ 2.67GHz"
    assert machine.operating_system() == "Windows 11"


@pytest.mark.parametrize(
    ("name", "release", "said"),
    [
        ("Linux", "6.1.0-42-amd64", "Linux 6.1"),
        ("Linux", "5.15.153.1-microsoft-standard-WSL2", "Linux 5.15"),
        ("Darwin", "15.5", "macOS 15.5"),
        ("Windows", "2025Server", "Windows 2025"),
        ("FreeBSD", "", "FreeBSD"),
    ],
)
def test_a_system_is_its_name_and_version(system, name, release, said):
    system(name, release=release)
    assert machine.operating_system() == said


# Containers


def test_without_a_container_a_process_has_the_whole_machine(container):
    assert (machine.cores(), machine.memory(), memory_free()) == (16, 64 * GIB, 40 * GIB)
    container(cpu_max="max 100000\n", memory_max="max\n", memory_current="1000\n")
    assert (machine.cores(), machine.memory(), memory_free()) == (16, 64 * GIB, 40 * GIB)


@pytest.mark.parametrize(
    ("quota", "cores"), [("150000 100000\n", 2), ("10000 100000\n", 1), ("9900000 100000\n", 16)]
)
def test_a_containers_quota_of_processor_time_is_rounded_up_to_cores(container, quota, cores):
    container(cpu_max=quota)
    assert machine.cores() == cores


def test_a_container_has_the_memory_it_is_given_less_what_it_uses(container):
    container(memory_max=str(4 * GIB), memory_current=str(3 * GIB))
    assert (machine.memory(), memory_free()) == (4 * GIB, GIB)
    # Files that were read stay in memory until it is needed for something else.
    container(memory_stat=f"anon 7\ninactive_file {2 * GIB}\nactive_file 9\n")
    assert memory_free() == 3 * GIB
    container(memory_current=str(7 * GIB))
    assert memory_free() == 0


def test_the_tightest_of_the_limits_above_a_process_holds(container):
    container(memory_max=str(8 * GIB), memory_current="0", cpu_max="max 100000")
    container("app", memory_max=str(4 * GIB), memory_current=str(GIB), cpu_max="300000 100000")
    container("elsewhere", memory_max="1", memory_current="0", cpu_max="1 100000")
    assert (machine.cores(), machine.memory(), memory_free()) == (3, 4 * GIB, 3 * GIB)


def test_a_process_in_no_control_group_has_the_whole_machine(container):
    container(memory_max="1")
    machine.CONTROL_GROUP.unlink()
    assert (machine.cores(), machine.memory()) == (16, 64 * GIB)


@pytest.fixture
def older(container, tmp_path):
    """A function that writes a file of a control group of version 1, where each has a tree."""
    own = "4:memory:/docker/abc\n3:cpu,cpuacct:/docker/abc\n2:pids:/\n0::/\n"
    machine.CONTROL_GROUP.write_text(own)

    def write(path, text):
        file = tmp_path / "groups" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{text}\n")

    return write


def test_control_groups_of_version_1_limit_the_processor(older):
    """Case 41: half a core was read as all of them."""
    older("cpu,cpuacct/docker/abc/cpu.cfs_quota_us", -1)
    older("cpu,cpuacct/docker/abc/cpu.cfs_period_us", 100000)
    assert machine.cores() == 16
    older("cpu,cpuacct/docker/abc/cpu.cfs_quota_us", 50000)
    assert machine.cores() == 1
    older("cpu,cpuacct/docker/abc/cpu.cfs_quota_us", 250000)
    assert machine.cores() == 3


def test_a_controller_of_version_1_may_have_a_tree_for_itself(older):
    machine.CONTROL_GROUP.write_text("4:memory:/\n3:cpuset:/\n2:cpuacct:/\n1:cpu:/case41\n0::/\n")
    older("cpu/case41/cpu.cfs_period_us", 100000)
    older("cpu/case41/cpu.cfs_quota_us", -1)
    assert machine.cores() == 16
    older("cpu/case41/cpu.cfs_quota_us", 50000)
    assert machine.cores() == 1


def test_control_groups_of_version_1_limit_the_memory(older):
    """1.5 GB was read as all that the host has."""
    older("memory/docker/abc/memory.limit_in_bytes", 2**63 - 4096)  # how it says none
    older("memory/docker/abc/memory.usage_in_bytes", GIB)
    assert (machine.memory(), memory_free()) == (64 * GIB, 40 * GIB)
    older("memory/docker/abc/memory.limit_in_bytes", 3 * GIB)
    assert (machine.memory(), memory_free()) == (3 * GIB, 2 * GIB)
    older("memory/docker/abc/memory.stat", f"inactive_file 7\ntotal_inactive_file {GIB // 2}")
    assert memory_free() == 2 * GIB + GIB // 2


def test_in_a_container_of_version_1_its_group_is_the_root_of_the_tree(older):
    older("cpu/cpu.cfs_quota_us", 150000)  # mounted without the path that it has outside
    older("cpu/cpu.cfs_period_us", 100000)
    older("memory/memory.limit_in_bytes", 2 * GIB)
    older("memory/memory.usage_in_bytes", GIB)
    assert (machine.cores(), machine.memory(), memory_free()) == (2, 2 * GIB, GIB)


def test_processes_that_died_of_memory_are_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(machine, "COUNTERS", tmp_path / "vmstat")
    assert machine.killed_for_memory() == 0
    machine.COUNTERS.write_text("nr_free_pages 9\noom_kill 3\n")
    assert machine.killed_for_memory() == 3


# Graphics cards


@pytest.mark.parametrize(
    ("printed", "gpus"),
    [
        ("NVIDIA H200, 143771, 570.86.15", (H200,)),
        ("NVIDIA H200, 143771, 570.86.15\n" * 2, (H200, H200)),
        ("NVIDIA GB10, [N/A], 580.95.05", (Gpu("NVIDIA GB10", 0, "580.95.05"),)),
        ("No devices were found", ()),
        ("", ()),
    ],
)
def test_nvidias_cards_are_those_their_driver_names(system, printed, gpus):
    system("Linux", nvidia_smi=printed)
    assert this_machine().gpus == gpus


def test_a_program_that_is_missing_fails_or_hangs_prints_nothing(monkeypatch):
    monkeypatch.setattr(machine, "TIMEOUT", 0.2)
    python = sys.executable, "-c"
    assert machine._printed("no-such-program") == ""
    assert machine._printed(*python, "print('text'); raise SystemExit(9)") == ""
    assert machine._printed(*python, "import time; time.sleep(3); print('text')") == ""
    monkeypatch.setattr(machine, "TIMEOUT", 30)
    assert machine._printed(*python, "print(' text')") == "text"


def test_an_apple_processor_is_a_card_without_memory_of_its_own(system):
    system("Darwin", "arm64", release="15.5", sysctl="Apple M2 Pro")
    here = this_machine()
    assert here.gpus == (Gpu("Apple M2 Pro", 0, ""),)
    assert (here.name, here.system) == ("Apple M2 Pro", "macOS 15.5")
    system("Darwin", "x86_64", release="12.7", sysctl="Intel(R) Core(TM) i7")
    assert this_machine().gpus == ()


def test_a_card_that_only_the_frameworks_name_is_named_once(system):
    system("Linux")
    card = Device("torch", "xpu", True, "Intel Arc B580", "", 12 * GIB)
    absent = Device("torch", "cuda", False, "", "not built", 0)
    found = [*devices("numpy"), card, card._replace(framework="tensorflow"), absent]
    assert this_machine(devices=found).gpus == (Gpu("Intel Arc B580", 12 * GIB, ""),)
    system("Linux", nvidia_smi="NVIDIA H200, 143771, 570.86.15")
    assert this_machine(devices=found).gpus == (H200,)


@pytest.mark.parametrize(
    ("quota", "name"),
    [("100000 100000", "1 core, no GPU found"), ("200000 100000", "2 cores, no GPU found")],
)
def test_a_machine_without_a_name_is_called_what_is_known_of_it(container, system, quota, name):
    container(cpu_max=quota)
    system("Linux")
    assert this_machine().name == name
    system("Linux", nvidia_smi="NVIDIA H200, 143771, 570.86.15")
    assert this_machine().name == "NVIDIA H200"


# Frameworks with a graphics card


def fake_torch(*, cuda=None, hip=None, xpu=None, mps=False, there=True, computes=True):
    """PyTorch, built for what is given, on a machine where the card is there or not."""

    def ones(*_, device):
        if not computes:
            raise RuntimeError("CUDA error: no kernel image is available for execution")
        return torch.ones(1)

    def module(name, built):
        properties = SimpleNamespace(name=name, total_memory=12 * GIB)
        return SimpleNamespace(
            is_available=lambda: there and bool(built), get_device_properties=lambda _: properties
        )

    return SimpleNamespace(
        ones=ones,
        version=SimpleNamespace(cuda=cuda, hip=hip, xpu=xpu),
        cuda=module("AMD Radeon PRO W7900" if hip else "NVIDIA H200", cuda or hip),
        xpu=module("Intel Arc B580", xpu),
        mps=SimpleNamespace(recommended_max_memory=lambda: 10 * GIB),
        backends=SimpleNamespace(
            cudnn=SimpleNamespace(version=lambda: 91002),
            mps=SimpleNamespace(
                is_built=lambda: mps, is_available=lambda: there, get_name=lambda: "Apple M2 Pro"
            ),
        ),
    )


@pytest.mark.parametrize(
    ("on", "built", "right"),
    [
        ("Linux", {"cuda": "13.0"}, ("cuda", True, "NVIDIA H200", "", 12 * GIB)),
        ("Linux", {"hip": "7.1"}, ("cuda", True, "AMD Radeon PRO W7900 (ROCm)", "", 12 * GIB)),
        ("Linux", {"xpu": "20250301"}, ("xpu", True, "Intel Arc B580", "", 12 * GIB)),
        ("Darwin", {"mps": True}, ("mps", True, "Apple M2 Pro", "", 10 * GIB)),
    ],
)
def test_pytorch_finds_the_card_that_it_is_built_for(system, monkeypatch, on, built, right):
    system(on)
    monkeypatch.setattr(devices_torch, "torch", fake_torch(**built))
    found = [device for device in devices("torch") if device.found]
    assert found == [machine.cpu("torch"), Device("torch", *right)]


ELSEWHERE, NOT_BUILT, NO_CARD = "not this system", "not built", "no driver or card"
LOST = {"cuda": "13.0", "there": False}
TOO_OLD = {"cuda": "13.0", "computes": False}


@pytest.mark.parametrize(
    ("on", "given", "reasons"),
    [
        ("Linux", {}, (NOT_BUILT, ELSEWHERE, NOT_BUILT)),
        ("Linux", LOST, (NO_CARD, ELSEWHERE, NOT_BUILT)),
        ("Linux", TOO_OLD, ("card not usable", ELSEWHERE, NOT_BUILT)),
        ("Linux", {"xpu": "2025", "there": False}, (NOT_BUILT, ELSEWHERE, NO_CARD)),
        ("Darwin", {}, (ELSEWHERE, NOT_BUILT, ELSEWHERE)),
        ("Darwin", {"mps": True, "there": False}, (ELSEWHERE, NO_CARD, ELSEWHERE)),
    ],
)
def test_pytorch_says_why_it_cannot_use_a_card(system, monkeypatch, on, given, reasons):
    system(on)
    monkeypatch.setattr(devices_torch, "torch", fake_torch(**given))
    assert tuple(device.reason for device in devices("torch")[1:]) == reasons


def test_a_card_that_its_driver_knows_and_the_framework_does_not_is_not_usable(system, monkeypatch):
    system("Linux", nvidia_smi="NVIDIA H200, 143771, 570.86.15")
    monkeypatch.setattr(devices_torch, "torch", fake_torch(**LOST))
    assert by_kind("torch")["cuda"].reason == "card not usable"
    monkeypatch.setattr(devices_tensorflow, "tf", fake_tensorflow(cuda=True))
    assert by_kind("tensorflow")["cuda"].reason == "card not usable"


def fake_tensorflow(name="", cuda=False, rocm=False):
    """TensorFlow with one card of this name, or with none."""
    details = SimpleNamespace(get_device_details=lambda card: {"device_name": card})
    return SimpleNamespace(
        config=SimpleNamespace(
            list_physical_devices=lambda kind: [name] * (kind == "GPU" and bool(name)),
            experimental=details,
        ),
        test=SimpleNamespace(is_built_with_cuda=lambda: cuda, is_built_with_rocm=lambda: rocm),
        sysconfig=SimpleNamespace(
            get_build_info=lambda: {"cuda_version": "12.5.1", "cudnn_version": "9"}
        ),
    )


def test_tensorflow_finds_the_card_and_its_driver_says_how_much_memory_it_has(system, monkeypatch):
    system("Linux", nvidia_smi="NVIDIA H200, 143771, 570.86.15")
    monkeypatch.setattr(devices_tensorflow, "tf", fake_tensorflow("NVIDIA H200", cuda=True))
    right = Device("tensorflow", "cuda", True, "NVIDIA H200", "", H200.memory_bytes)
    assert by_kind("tensorflow")["cuda"] == right
    monkeypatch.setattr(devices_tensorflow, "tf", fake_tensorflow("AMD Radeon", rocm=True))
    right = Device("tensorflow", "cuda", True, "AMD Radeon (ROCm)", "", 0)
    assert by_kind("tensorflow")["cuda"] == right


def test_tensorflow_is_not_measured_on_a_mac_s_card_for_which_it_cannot_wait(system, monkeypatch):
    system("Darwin", "arm64", sysctl="Apple M2 Pro")
    monkeypatch.setattr(devices_tensorflow, "tf", fake_tensorflow("METAL"))
    assert set(by_kind("tensorflow")) == {"cpu", "cuda"}
    assert by_kind("tensorflow")["cuda"].reason == "not this system"


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_a_framework_that_does_not_load_finds_nothing_and_says_why(
    framework, tmp_path, monkeypatch
):
    looking = machine.LOOKING[framework]
    monkeypatch.delitem(sys.modules, looking)
    monkeypatch.setitem(sys.modules, framework, None)
    assert {(device.found, device.reason) for device in devices(framework)} == {
        (False, "not installed")
    }
    (tmp_path / f"{framework}.py").write_text("raise OSError('a library is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, framework)
    assert {(device.found, device.reason) for device in devices(framework)} == {
        (False, "import fails")
    }


def test_a_loaded_framework_says_which_cuda_it_computes_with(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", fake_tensorflow())
    monkeypatch.setitem(sys.modules, "torch", fake_torch(cuda="13.0", there=False))
    assert not {"cuda", "cudnn", "rocm"} & libraries().keys()
    monkeypatch.setitem(sys.modules, "tensorflow", fake_tensorflow("NVIDIA H200", cuda=True))
    assert (libraries()["cuda"], libraries()["cudnn"]) == ("12.5.1", "9")
    monkeypatch.setitem(sys.modules, "torch", fake_torch(cuda="13.0"))
    assert (libraries()["cuda"], libraries()["cudnn"]) == ("13.0", "91002")
    monkeypatch.setitem(sys.modules, "torch", fake_torch(hip="7.1"))
    assert libraries()["rocm"] == "7.1"


def test_a_cudnn_too_new_for_the_card_is_left_out(monkeypatch):
    def refused():
        raise RuntimeError("cuDNN version 91100 is not compatible with devices with SM < 7.5")

    fake = fake_torch(cuda="13.0")
    fake.backends.cudnn.version = refused
    monkeypatch.setitem(sys.modules, "torch", fake)
    assert libraries()["cuda"] == "13.0"
    assert "cudnn" not in libraries()


def test_a_package_that_is_not_installed_has_no_version(monkeypatch):
    def absent(_):
        raise PackageNotFoundError

    assert machine.version("numpy")
    monkeypatch.setattr(machine.metadata, "version", absent)
    assert machine.version("numpy") == ""
    assert libraries() == {"python": platform.python_version()}
