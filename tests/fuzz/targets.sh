# SPDX-License-Identifier: Apache-2.0
# What once and long/run share; sourced by both, after tools/setup.sh.
corpus=$root/tests/fuzz/corpus

# Builds the targets; sets `targets` to their paths.
build_targets() {
    build_sepcl "$build/sanitize" -DCMAKE_C_COMPILER=clang-15 -DSEPCL_WERROR=ON -DSEPCL_FUZZ=ON \
        -DSEPCL_TEST_CACHE="$build/cache"
    targets=("$build"/sanitize/tests/fuzz_*)
    [[ -x ${targets[0]} ]] || die "no fuzz targets in $build/sanitize/tests"
}

# run_target COMMAND...: a target and its arguments, with the limits that hold for every input.
run_target() {
    ASAN_OPTIONS=allocator_may_return_null=1:detect_leaks=1:intercept_tls_get_addr=0 \
        LSAN_OPTIONS=suppressions=$root/tests/leaks.supp:print_suppressions=0 \
        "$@" -timeout=20 -malloc_limit_mb=1024 -rss_limit_mb=2048 -max_len=65536
}
