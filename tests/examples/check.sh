#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh BUILD WORK MODEL PYTHON-WITH-ONNX PYTHON-WITH-SEPCL: builds the examples against an installed sepcl, runs them, and
# compares C with Python and both with what is known: which text stands upright, and what numpy filters.
set -euo pipefail
build=$1 work=$2 model=$3 with_onnx=$4 with_sepcl=$5
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
examples=$root/tools/examples
fail() { echo "$*"; exit 1; }

rm -rf "$work"
mkdir -p "$work/frames"
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
cmake -S "$examples" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_FLAGS="-Wall -Wextra -Werror" \
    >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log" || { cat "$work/build.log"; exit 1; }

"$with_onnx" "$root/tools/draw_text.py" "$work/upright.png" "$work/turned.png"
for i in 0 1 2; do
    cp "$work/upright.png" "$work/frames/${i}a.png"
    cp "$work/turned.png" "$work/frames/${i}b.png"
done

# ---------------------------------------------------------------- classify, frames
[[ $(wc -l <"$examples/classify.c") -le 40 ]] || fail "classify.c, the shortest whole program, has more than 40 lines"
for case in upright:0 turned:1; do
    for run in "$work/build/classify" "$with_sepcl $examples/classify.py"; do
        said=$($run "$model" "$work/${case%:*}.png" 48 192)
        [[ $said == "class ${case#*:}, score "[01].* ]] || fail "$run says of ${case%:*}.png: $said"
    done
done
for run in "$work/build/frames" "$with_sepcl $examples/frames.py"; do
    said=$($run "$model" "$work/frames")
    [[ $(grep -oE '^[0-9][ab].png: [01]' <<<"$said" | tr '\n' ' ') == "0a.png: 0 0b.png: 1 1a.png: 0 1b.png: 1 2a.png: 0 2b.png: 1 " ]] ||
        fail "$run says: $said"
    [[ $said == *"6 frames, "*" a second" ]] || fail "$run says at its end: $said"
done

# ---------------------------------------------------------------- filters
"$with_onnx" "$examples/make_filters.py" "$work"
"$with_onnx" -c 'import sys; from PIL import Image; Image.open(sys.argv[1]).convert("L").save(sys.argv[2])' \
    "$work/upright.png" "$work/gray.png"
for filter in gauss sobel; do
    "$work/build/spatial" "$work/$filter.onnx" "$work/gray.png" "$work/$filter.c.png" >"$work/$filter.c.txt"
    "$with_sepcl" "$examples/spatial.py" "$work/$filter.onnx" "$work/gray.png" "$work/$filter.py.png" >"$work/$filter.py.txt"
    diff "$work/$filter.c.txt" "$work/$filter.py.txt" || fail "C and Python differ"
done
"$with_onnx" "$here/filters.py" "$examples" "$work"
# ---------------------------------------------------------------- the five-minute tour, word for word
tour=$work/tour
mkdir -p "$tour/build/models" "$tour/build/quickstart"
ln -s "$build/tools" "$tour/build/tools"
cp "$model" "$tour/build/models/text_orientation.onnx"
cp "$work/upright.png" "$work/turned.png" "$tour/build/quickstart/"
printf 'upright\nturned\n' >"$tour/build/quickstart/labels.txt"
sed -n '/^```/,/^```/!s/^    //p' "$root/tools/TOUR.md" | grep -v '^cmake' | sed 's/--budget 60/--budget 2/' >"$tour/commands"
[[ $(grep -c '^sepcl-' "$tour/commands") -ge 9 ]] || fail "the tour has lost its commands: $(cat "$tour/commands")"
(cd "$tour" && SEPCL_CACHE_DIR=$tour/cache bash -eu commands) >"$tour/log" 2>&1 || { tail -n 20 "$tour/log"; fail "the tour does not run as it is written"; }
for file in out.npy page.html trace.json scores.npy; do
    [[ -s $tour/$file ]] || fail "the tour wrote no $file"
done
grep -q '0  *1.0000  *upright' "$tour/log" || fail "the tour's picture is not classified"
echo "the examples do what they say"
