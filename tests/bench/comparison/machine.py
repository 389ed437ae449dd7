# SPDX-License-Identifier: Apache-2.0
"""The machine in words."""
import os
import pathlib
import platform
import re


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
