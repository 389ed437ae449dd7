#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every OpenCL call of the library is one that the layer counts and fails: knows_all.sh LIBRARY CALLS.INC
set -eu
calls=$(nm -D --undefined-only "$1" | sed -n 's/.* U \(cl[A-Z][A-Za-z0-9]*\).*/\1/p' | sort -u)
[ -n "$calls" ] || { echo "$1 makes no OpenCL call"; exit 1; }
status=0
for call in $calls; do
    grep -q "^CALL($call," "$2" || { echo "$call is not in $2"; status=1; }
done
exit $status
