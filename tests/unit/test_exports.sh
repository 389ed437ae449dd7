#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The shared library exports the functions that the public header declares, and nothing else; none of those that a release
# had (exports.txt) is missing; its SONAME has the major version. The static library shows the same functions.
set -euo pipefail
header=${1:?usage: test_exports.sh HEADER LIBRARY [STATIC-LIBRARY]}
library=${2:?usage: test_exports.sh HEADER LIBRARY [STATIC-LIBRARY]}
released=$(dirname "$0")/exports.txt
declared=$(grep -oE '^SEPCL_API .*' "$header" | grep -oE 'sepcl_[a-z0-9_]+ *\(' | tr -d ' (' | sort -u)
exported=$(nm -D --defined-only "$library" | awk '$2 ~ /[TDBRVW]/ {sub(/@.*/, "", $3); print $3}' | grep -v '^SEPCL_[0-9]*$' | sort -u)
major=$(awk '/define SEPCL_VERSION_MAJOR/ {print $3}' "$header")
soname=$(objdump -p "$library" | awk '/SONAME/ {print $2}')
diff <(echo "$declared") <(echo "$exported") || { echo "declared (<) and exported (>) functions differ"; exit 1; }
[[ $(wc -l <<<"$declared") -gt 10 ]] || { echo "found only: $declared"; exit 1; }
[[ $soname == "libsepcl.so.$major" ]] || { echo "SONAME is '$soname', expected libsepcl.so.$major"; exit 1; }
gone=$(comm -13 <(echo "$exported") <(grep -v '^#' "$released" | sort -u))
[[ -z $gone ]] || { echo "released functions are missing, which needs a new SONAME: $gone"; exit 1; }
if [[ -n ${3:-} ]]; then
    seen=$(nm -g --defined-only "$3" | awk 'NF == 3 {print $3}' | sort -u)
    diff <(echo "$declared") <(echo "$seen") || { echo "declared (<) functions and those of $3 (>) differ"; exit 1; }
fi
echo "$(wc -l <<<"$declared") functions exported, SONAME $soname"
