#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD WORK MODEL SHAPE PYTHON-WITH-PILLOW BROWSER: writes every kind of page that sepcl has, and looks at them in
# headless Chromium (look.py).
set -euo pipefail
build=$1 work=$2 model=$3 shape=$4 python=$5 browser=$6
here=$(cd "$(dirname "$0")" && pwd)
comparison=$here/../bench/comparison

rm -rf "$work"
mkdir -p "$work"
"$build/tools/sepcl-bench" "$model" --shape "$shape" --repeat 2 --html "$work/bench.html" >"$work/bench.log"
"$build/tools/sepcl-bench" --break-even --most 2 --repeat 2 --html "$work/break_even.html" >"$work/break_even.log"
"$build/tools/sepcl-separate" "$model" --shape "$shape" --report "$work/separate.html" >"$work/separate.log"
PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=$comparison "$python" - "$work/compare.html" <<'END'
import pathlib
import sys

import figures
import page
import self_check

pathlib.Path(sys.argv[1]).write_text(page.page(figures.summarise(self_check.canned())), encoding="utf-8")
END
"$python" "$here/look.py" "$browser" "$work" "$work"/{bench,break_even,separate,compare}.html
