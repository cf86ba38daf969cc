"""Energy from counters that a made-up machine has."""

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
import torch

from harness.efficiency.energy import EnergyMeter

LIMIT = 262_143_328_850
CUDA = torch.device("cuda", 0)


def zone(root, path, name, energy_uj):
    folder = root / path
    folder.mkdir(parents=True, exist_ok=True)
    for file, value in (("name", name), ("energy_uj", energy_uj), ("max_energy_range_uj", LIMIT)):
        (folder / file).write_text(f"{value}\n")


@pytest.fixture
def machine(tmp_path):
    """Two packages, parts of the first, the same package once more, and the platform around all."""
    zone(tmp_path, "intel-rapl:0", "package-0", 1_000_000)
    zone(tmp_path, "intel-rapl:0:0", "core", 400_000)
    zone(tmp_path, "intel-rapl:0:1", "dram", 300_000)
    zone(tmp_path, "intel-rapl:1", "package-1", 5_000_000)
    zone(tmp_path, "intel-rapl:2", "psys", 9_000_000)
    zone(tmp_path, "intel-rapl-mmio:0", "package-0", 1_000_000)
    return tmp_path


def test_energy_is_the_sum_of_packages_and_their_parts_count_once(machine):
    meter = EnergyMeter(root=machine)
    assert (meter.is_readable, meter.joules) == (True, None)
    with meter:
        for path, value in (("0", 1_250_000), ("0:0", 600_000), ("1", 5_500_000), ("2", 10_000_000)):
            (machine / f"intel-rapl:{path}" / "energy_uj").write_text(str(value))
    assert meter.joules == pytest.approx(0.25 + 0.5)
    assert meter.sources() == ("RAPL: package-0", "RAPL: package-1")


def test_a_counter_that_ran_over_goes_on(machine):
    (machine / "intel-rapl:0/energy_uj").write_text(str(LIMIT - 100_000))
    meter = EnergyMeter(root=machine)
    with meter:
        (machine / "intel-rapl:0/energy_uj").write_text("200000")
    assert meter.joules == pytest.approx(0.3)


def test_a_block_is_measured_by_itself(machine):
    meter = EnergyMeter(root=machine)
    for value in (2_000_000, 2_500_000):
        with meter:
            (machine / "intel-rapl:0/energy_uj").write_text(str(value))
    assert meter.joules == pytest.approx(0.5)


def test_a_block_that_does_nothing_takes_nothing(machine):
    with EnergyMeter(root=machine) as meter:
        pass
    assert meter.joules == 0


def test_without_counters_there_is_no_number_and_it_is_said(tmp_path):
    with EnergyMeter(root=tmp_path) as meter:
        pass
    assert (meter.is_readable, meter.joules) == (False, None)
    assert meter.sources() == (f"RAPL: no package under {tmp_path}",)


def test_counters_that_may_not_be_read_are_named(machine, monkeypatch):
    # By the file's name: a test that runs as root may read everything.
    read = Path.read_text

    def refuse(file, *args, **kwargs):
        if file.parent.name == "intel-rapl:1" and file.name == "energy_uj":
            raise PermissionError(13, "Permission denied")
        return read(file, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", refuse)
    meter = EnergyMeter(root=machine)
    assert meter.is_readable
    assert meter.sources() == (
        "RAPL: package-0", "RAPL: intel-rapl:1 cannot be read (Permission denied)",
    )  # fmt: skip


class FakeNVMLError(Exception):
    """What NVML raises."""


@pytest.fixture
def nvml(monkeypatch):
    """An accelerator whose counter is in millijoules."""
    module = ModuleType("pynvml")
    module.millijoules, module.asked = 7000, []
    module.NVMLError = FakeNVMLError
    module.nvmlInit = lambda: None
    module.nvmlDeviceGetHandleByUUID = lambda name: module.asked.append(name) or name
    module.nvmlDeviceGetTotalEnergyConsumption = lambda _: module.millijoules
    monkeypatch.setitem(sys.modules, "pynvml", module)
    device = SimpleNamespace(uuid="12-34")
    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda _: device)
    return module


def test_an_accelerators_energy_is_added_to_that_of_the_packages(machine, nvml):
    meter = EnergyMeter(CUDA, root=machine)
    with meter:
        nvml.millijoules = 9500
        (machine / "intel-rapl:0/energy_uj").write_text("1250000")
    assert meter.joules == pytest.approx(2.5 + 0.25)
    assert meter.sources()[-1] == "NVML: cuda:0"
    assert nvml.asked == ["GPU-12-34"]


def test_a_model_on_the_cpu_is_not_charged_for_an_accelerator(machine, nvml):
    meter = EnergyMeter(torch.device("cpu"), root=machine)
    with meter:
        nvml.millijoules = 9500
    assert meter.joules == 0
    assert not any("NVML" in source for source in meter.sources())


def test_an_accelerator_without_a_counter_is_named(tmp_path, nvml):
    def refuse(_):
        raise FakeNVMLError("Not Supported")

    nvml.nvmlDeviceGetTotalEnergyConsumption = refuse
    meter = EnergyMeter(CUDA, root=tmp_path)
    assert not meter.is_readable
    assert meter.sources()[-1] == "NVML: cuda:0 cannot be read (Not Supported)"


def test_what_is_not_installed_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pynvml", None)
    assert EnergyMeter(CUDA, root=tmp_path).sources()[-1] == "NVML: pynvml is not installed"
    mps = EnergyMeter(torch.device("mps"), root=tmp_path).sources()[-1]
    assert mps == "no counter of the energy of mps"


def test_this_machine_has_a_number_or_a_reason():
    with EnergyMeter() as meter:
        sum(range(1000))
    assert (meter.joules is not None) == meter.is_readable
    assert meter.sources()
