#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# No option and no function that gives up NaN, infinities, signed zeros or the last digits: test_no_fast_math.sh ROOT, or
# --self-test.
set -euo pipefail

find_them() { # ROOT
    grep -rnE --include='*.c' --include='*.h' --include='*.cl' --include='*.inc' --include='*.txt' --include='*.cmake' \
        -e '-cl-(fast-relaxed-math|finite-math-only|unsafe-math-optimizations|no-signed-zeros|denorms-are-zero|mad-enable)' \
        -e '-f(fast-math|finite-math-only|unsafe-math-optimizations|no-honor-nans|no-honor-infinities|associative-math)' \
        -e '-Ofast|-ffp-model=fast|__FAST_MATH__|__FINITE_MATH_ONLY__' \
        -e '\b(native|half)_(cos|divide|exp|exp2|exp10|log|log2|log10|powr|recip|rsqrt|sin|sqrt|tan)\b' \
        -e '\bmad\(' \
        "$1/runtime" "$1/kernels" "$1/tools" "$1/CMakeLists.txt" "$1/include" || true
}

if [[ ${1:-} == --self-test ]]; then
    root=$(mktemp -d)
    trap 'rm -rf "$root"' EXIT
    mkdir -p "$root"/{runtime,kernels,tools,include}
    touch "$root/CMakeLists.txt"
    [[ -z $(find_them "$root") ]] || { echo "found something in nothing"; exit 1; }
    echo 'const char *options = "-cl-finite-math-only";' >"$root/runtime/a.c"
    echo 'y = native_exp(x) + mad(a, b, c);' >"$root/kernels/a.cl"
    echo 'add_compile_options(-ffast-math)' >"$root/CMakeLists.txt"
    [[ $(find_them "$root" | wc -l) -eq 3 ]] || { echo "did not find all three"; exit 1; }
    exit 0
fi
found=$(find_them "$1")
[[ -z $found ]] || { echo "$found"; exit 1; }
