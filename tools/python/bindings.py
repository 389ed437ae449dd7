#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bindings.py HEADER OUT.py: the declarations of the public header as a cffi module, so that nothing is declared twice."""
import re
import sys

from cffi import FFI


def declarations(header: str) -> str:
    """What cffi reads: no comments, no preprocessor but plain numbers, no C++."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.DOTALL)
    text = re.sub(r"#ifdef __cplusplus.*?#endif", "", text, flags=re.DOTALL)
    kept = [line for line in text.splitlines()
            if not line.startswith("#") or re.fullmatch(r"#define SEPCL_[A-Z_]+ \d+", line.rstrip())]
    return "\n".join(kept).replace("SEPCL_API ", "")


def main() -> None:
    header, out = sys.argv[1:]
    ffi = FFI()
    ffi.cdef(declarations(open(header, encoding="utf-8").read()))
    ffi.set_source("sepcl._bindings", None)
    ffi.emit_python_code(out)


if __name__ == "__main__":
    main()
