#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# check.sh PACKAGES WORK: installs the Debian packages into a root of their own by dpkg, maintainer scripts included, runs what
# they brought, compiles against it, and removes them without a trace. Needs root, for dpkg's chroot.
set -euo pipefail
packages=$1 work=$2
here=$(cd "$(dirname "$0")" && pwd)
root=$work/root
fail() { echo "$*"; exit 1; }
[[ $EUID -eq 0 ]] || fail "only root can install packages"

# ---------------------------------------------------------------- a root with a shell and ldconfig, for the scripts
rm -rf "$work"
mkdir -p "$root"/{bin,sbin,etc,usr} "$root"/var/lib/dpkg/{info,updates,triggers}
touch "$root/var/lib/dpkg/status"
cp /bin/sh "$root/bin/sh"
cp "$(command -v ldconfig || echo /sbin/ldconfig)" "$root/sbin/ldconfig"
cp -r /etc/ld.so.conf /etc/ld.so.conf.d "$root/etc/"
ldd /bin/sh | grep -oE '/[^ ]+' | while read -r library; do
    mkdir -p "$root$(dirname "$library")"
    cp "$library" "$root$library"
done
find "$root" ! -type d | sort >"$work/before"
dpkg_root() { dpkg --root="$root" --log=/dev/null --force-depends "$@" >>"$work/dpkg.log" 2>&1 || { tail -n 20 "$work/dpkg.log"; fail "dpkg $* failed"; }; }

# ---------------------------------------------------------------- install
debs=("$packages"/*.deb)
[[ ${#debs[@]} -eq 3 ]] || fail "expected three packages in $packages, found ${#debs[@]}"
for deb in "${debs[@]}"; do # what a package needs is here, or is one of them
    while IFS= read -r group; do
        found=
        for name in ${group//|/ }; do
            [[ $name != libsepcl0 ]] || found=1
            [[ $(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null) != installed ]] || found=1
        done
        [[ -n $found ]] || fail "$(basename "$deb") depends on '$group', which nothing here is"
    done < <(dpkg-deb -f "$deb" Depends | tr ',' '\n' | sed 's/([^)]*)//g')
done
dpkg_root -i "${debs[@]}"
for name in libsepcl0 libsepcl-dev sepcl-tools; do
    [[ $(dpkg-query --admindir="$root/var/lib/dpkg" -W -f='${db:Status-Status}' "$name") == installed ]] || fail "$name is not installed"
done
[[ -s $root/etc/ld.so.cache ]] || fail "ldconfig was not run"
grep -q libsepcl.so.0 "$root/etc/ld.so.cache" || fail "the loader does not know libsepcl.so.0"

# ---------------------------------------------------------------- run, compile
libraries=$(dirname "$(find "$root/usr/lib" -name libsepcl.so.0)")
export LD_LIBRARY_PATH=$libraries
version=$(dpkg-deb -f "${debs[0]}" Version)
for program in "$root"/usr/bin/*; do
    [[ $("$program" --version) == "$(basename "$program") ${version%-*}" ]] || fail "$program --version is not ${version%-*}"
    name=$(basename "$program")
    for text in "man/man1/$name.1" "bash-completion/completions/$name" "zsh/vendor-completions/_$name" \
        "fish/vendor_completions.d/$name.fish"; do
        [[ -s $root/usr/share/$text ]] || fail "$program comes without $text"
    done
    ! readelf -d "$program" | grep -E 'RPATH|RUNPATH' || fail "$program looks for libraries in a folder of its own"
done
"$root/usr/bin/sepcl-info" >"$work/info"
[[ -s $work/info ]] || fail "sepcl-info says nothing"
export PKG_CONFIG_PATH=$libraries/pkgconfig PKG_CONFIG_SYSROOT_DIR=
read -ra flags <<<"$(pkg-config --cflags --libs sepcl)"
cc -std=c11 -Wall -Werror "$here/../install/consumer.c" "${flags[@]}" -o "$work/consumer"
[[ $("$work/consumer") == "${version%-*}" ]] || fail "the consumer does not run"

# ---------------------------------------------------------------- remove
dpkg_root --purge sepcl-tools libsepcl-dev libsepcl0
find "$root" ! -type d | grep -v "^$root/var/lib/dpkg/\|^$root/etc/ld.so.cache$\|^$root/var/cache/ldconfig/" | sort >"$work/after"
diff "$work/before" <(cat "$work/after" <(grep "^$root/var/lib/dpkg/" "$work/before") | sort -u) || fail "the files above were left, or are gone"
[[ -z $(find "$root" -name '*sepcl*' ! -path "$root/var/lib/dpkg/*") ]] || fail "folders of sepcl were left"
! grep -q libsepcl "$root/etc/ld.so.cache" || fail "the loader still knows libsepcl"
echo "installed, ran, compiled against and removed ${#debs[@]} packages"
