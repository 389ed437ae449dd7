#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs the build, moves the prefix elsewhere, and builds consumers by find_package and by pkg-config, in C and C++.
set -euo pipefail
build=$1 work=$2 cmake=$3 cc=$4 cxx=$5 version=$6
here=$(cd "$(dirname "$0")" && pwd)
rm -rf "$work"
mkdir -p "$work"
"$cmake" --install "$build" --prefix "$work/before" >"$work/install.log"
mv "$work/before" "$work/moved prefix"
prefix="$work/moved prefix"

runs() { # what the program prints has to be the version
    local said
    said=$("$@")
    [[ $said == *"$version"* ]] || { echo "$* printed '$said', expected $version"; exit 1; }
}

{ grep -rIl -e "$work" -e "$build" "$prefix/lib" "$prefix/include" "$prefix/share" 2>/dev/null || true; } |
    { ! grep . || { echo "the files above hold an absolute path"; exit 1; }; }

"$cmake" -S "$here" -B "$work/consumer" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_C_COMPILER="$cc" \
    -DCMAKE_CXX_COMPILER="$cxx" -DCMAKE_FIND_USE_PACKAGE_REGISTRY=OFF >"$work/configure.log"
"$cmake" --build "$work/consumer" >"$work/build.log"
runs "$work/consumer/consumer_c"
runs "$work/consumer/consumer_cpp"
runs "$work/consumer/consumer_static"
! ldd "$work/consumer/consumer_static" | grep -q libsepcl || { echo "consumer_static needs the shared library"; exit 1; }

pc=$(find "$prefix" -name sepcl.pc -printf '%h')
export PKG_CONFIG_PATH=$pc
[[ $(pkg-config --modversion sepcl) == "$version" ]] || { echo "sepcl.pc has version $(pkg-config --modversion sepcl)"; exit 1; }
eval "cflags=($(pkg-config --cflags sepcl))"
eval "libs=($(pkg-config --libs sepcl))"
"$cc" -std=c11 -Wall -Werror "${cflags[@]}" "$here/consumer.c" "${libs[@]}" -o "$work/pc_c"
"$cxx" -std=c++17 -Wall -Werror "${cflags[@]}" "$here/consumer.cpp" "${libs[@]}" -o "$work/pc_cpp"
LD_LIBRARY_PATH=$(dirname "$pc") runs "$work/pc_c"
LD_LIBRARY_PATH=$(dirname "$pc") runs "$work/pc_cpp"

for program in "$prefix"/bin/sepcl-*; do
    [[ -e $program ]] || { echo "no programs in $prefix/bin"; exit 1; }
    runs "$program" --version
done
for program in "$prefix"/bin/sepcl-*; do
    name=$(basename "$program")
    for text in man/man1/$name.1 bash-completion/completions/$name zsh/site-functions/_$name fish/vendor_completions.d/$name.fish; do
        [[ -s $prefix/share/$text ]] || { echo "share/$text is missing"; exit 1; }
    done
done
echo "installed, moved and used by find_package and pkg-config"
