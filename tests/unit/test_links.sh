#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every relative link of the pages leads to a file, and every program and script that they name by its path is there.
set -euo pipefail
root=${1:?usage: test_links.sh ROOT}
bad=0 links=0
while IFS= read -r page; do
    folder=$(dirname "$page")
    while IFS= read -r target; do
        links=$((links + 1))
        [[ -e $folder/${target%%#*} ]] || { echo "${page#"$root"/}: $target leads nowhere"; bad=1; }
    done < <(grep -oE '\]\([^)#][^)]*\)' "$page" | sed 's/^](//; s/)$//' | grep -vE '^[a-z]+:' || true)
    while IFS= read -r path; do
        links=$((links + 1))
        [[ -e $root/$path ]] || { echo "${page#"$root"/}: $path is not there"; bad=1; }
    done < <(grep -oE '`(tools|tests|runtime|kernels|include)/[A-Za-z0-9_./-]+' "$page" | tr -d '`' | grep -v '/name\.' | sort -u || true)
done < <(find "$root" -name '*.md' -not -path '*/build*/*' -not -path '*/.git/*' -not -path '*/shared/*')
[[ $bad -eq 0 ]] || exit 1
[[ $links -gt 20 ]] || { echo "found only $links links"; exit 1; }
echo "$links links lead somewhere"
