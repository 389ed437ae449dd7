#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Who may include whom: reads the #include lines of runtime/ against the list below.
#
#   test_include_direction.sh RUNTIME-FOLDER
#   test_include_direction.sh --self-test     the check itself: forbidden lines have to be found
set -euo pipefail

# room -> the rooms that it may include, downwards; each may include itself
allowed() {
    case $1 in
    base) echo "" ;;
    ir) echo "base" ;;
    ops) echo "ir base" ;;
    cl) echo "base" ;;
    import | pass | plan) echo "ops ir base" ;;
    exec) echo "plan ops ir cl base" ;;
    separate) echo "import pass plan exec ops ir cl base" ;;
    api) echo "separate import pass plan exec ops ir cl base" ;; # files directly in runtime/
    *) echo "none" ;;
    esac
}

# Prints "file:line: reason" for each include that is against the list.
violations() {
    local root=$1 file line name room target
    while IFS=: read -r file line name; do
        room=${file#"$root"/}
        [[ $room == */* ]] && room=${room%%/*} || room=api
        name=$(sed -E 's/^[^<"]*([<"].*[>"]).*$/\1/' <<<"$name")
        case $name in
        '<CL/'* | '"CL/'*)
            [[ $room == cl ]] || echo "$file:$line: only cl/ includes OpenCL, not $room/" ;;
        '"sepcl/sepcl.h"' | '<'*) ;;
        '"'*/*)
            target=${name#\"}
            target=${target%%/*}
            [[ " $(allowed "$room") $room " == *" $target "* ]] || echo "$file:$line: $room/ must not include $target/ ($name)" ;;
        *) [[ -f $(dirname "$file")/$(tr -d '"' <<<"$name") ]] || echo "$file:$line: $name is not in $room/" ;;
        esac
    done < <(grep -RnE '^[[:space:]]*#[[:space:]]*include' --include='*.c' --include='*.h' --include='*.inc' "$root")
}

expect() { # FILE INCLUDE-LINE found|clean
    local root
    root=$(mktemp -d)
    mkdir -p "$root/$(dirname "$1")"
    printf '%s\n' "$2" >"$root/$1"
    local got=clean
    [[ -z $(violations "$root") ]] || got=found
    rm -rf "$root"
    [[ $got == "$3" ]] || { echo "$1 with '$2': $got, expected $3"; exit 1; }
}

if [[ ${1:-} == --self-test ]]; then
    expect ir/graph.c '#include "ops/conv.h"' found
    expect base/size.c '#  include "ir/graph.h"' found
    expect plan/select.c '#include <CL/cl.h>' found
    expect pass/fold.c '#include "plan/plan.h"' found
    expect exec/run.c '#include "import/import.h"' found
    expect cl/device.c '#include "ir/op.h"' found
    expect import/onnx/read.c '#include "cl/cl.h"' found
    expect ops/conv.c '#include "unknown/thing.h"' found
    expect ops/conv.c '#include "missing.h"' found
    expect cl/device.c '#include <CL/cl.h>' clean
    expect exec/run.c '#include "base/size.h" /* sums */' clean
    expect exec/run.c '#include "separate/svd.h"' found
    expect separate/choose.c '#include "exec/trial.h"' clean
    expect api.c '#include "exec/exec.h"' clean
    expect plan/plan.c '#include "sepcl/sepcl.h"' clean
    expect plan/plan.c '#include <stdint.h>' clean
    echo "include direction: forbidden lines are found"
    exit 0
fi

root=${1:?usage: test_include_direction.sh RUNTIME-FOLDER}
found=$(violations "$root")
count=$(grep -RlE '#[[:space:]]*include' --include='*.c' --include='*.h' "$root" | wc -l)
[[ $count -gt 20 ]] || { echo "only $count files under $root: wrong folder?"; exit 1; }
if [[ -n $found ]]; then
    echo "$found"
    exit 1
fi
echo "include direction: $count files are right"
