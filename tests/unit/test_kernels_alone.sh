#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every kernel file compiles alone, as OpenCL C 1.2, in both storage types. Skipped (77) without clang.
set -euo pipefail
folder=${1:?usage: test_kernels_alone.sh KERNEL-FOLDER}
clang=$(command -v clang-15 || command -v clang || true)
[[ -n $clang ]] || { echo "no clang: skipped"; exit 77; }
failed=0 count=0
for file in "$folder"/*.cl; do
    for half in 0 1; do
        "$clang" -x cl -cl-std=CL1.2 -I "$folder" -fsyntax-only -Xclang -finclude-default-header -Wall -Wno-unused-function \
            -DSTORE_F16=$half "$file" || { echo "$file does not compile with STORE_F16=$half"; failed=1; }
    done
    count=$((count + 1))
done
[[ $count -gt 0 ]] || { echo "no kernels in $folder"; exit 1; }
echo "$count kernel files compiled alone"
exit $failed
