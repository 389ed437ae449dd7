# SPDX-License-Identifier: Apache-2.0
"""The machine in words, and how busy it is."""
import os
import pathlib
import platform
import re
import time


def first(pattern, text, otherwise):
    match = re.search(pattern, text, re.MULTILINE)
    return match.group(1).strip() if match else otherwise


def vector_units(flags):
    for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("avx", "AVX"), ("asimd", "NEON"), ("sse2", "SSE2")):
        if flag in flags:
            return name
    return "no vector units known"


def describe():
    try:
        cpuinfo = pathlib.Path("/proc/cpuinfo").read_text()
        release = pathlib.Path("/etc/os-release").read_text()
    except OSError:
        cpuinfo, release = "", ""
    family, model = first(r"^cpu family\s*: (.+)", cpuinfo, ""), first(r"^model\s*: (.+)", cpuinfo, "")
    name = first(r"^model name\s*: (.+)", cpuinfo, platform.processor() or platform.machine())
    flags = first(r"^(?:flags|Features)\s*: (.+)", cpuinfo, "").split()
    return {"processor": f"{name}, family {family} model {model}" if family else name, "vector_units": vector_units(flags),
            "cores": os.cpu_count() or 1, "virtual": "hypervisor" in flags,
            "system": first(r'^PRETTY_NAME="?([^"\n]+)', release, platform.system()), "kernel": platform.release()}


def core_seconds(cores):
    """Seconds that these cores have been busy, whoever with."""
    busy = 0
    for line in pathlib.Path("/proc/stat").read_text().splitlines():
        name, *ticks = line.split()
        if name.startswith("cpu") and name[3:].isdigit() and int(name[3:]) in cores:
            user, nice, system, _, _, interrupt, soft, steal = (int(t) for t in ticks[:8])
            busy += user + nice + system + interrupt + soft + steal
    return busy / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(share, seconds):
    """Waits until the cores of this process are used to less than a share of them, at most so many seconds."""
    cores, end = os.sched_getaffinity(0), time.monotonic() + seconds
    while time.monotonic() < end:
        start, busy = time.monotonic(), core_seconds(cores)
        time.sleep(0.25)
        if (core_seconds(cores) - busy) / ((time.monotonic() - start) * len(cores)) < share:
            break
