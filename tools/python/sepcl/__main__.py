# SPDX-License-Identifier: Apache-2.0
"""python -m sepcl info|summary|run|bench|tune: the programs' common uses, with the same options and exit codes."""
from __future__ import annotations

import argparse
import os
import sys
from typing import List, Optional, Sequence

# PoCL's workers share cores for a while at times unless they are pinned, and this is read before the first OpenCL call.
os.environ.setdefault("POCL_AFFINITY", "1")

from . import _commands  # noqa: E402
from ._library import Error, InvalidError, __version__, set_log  # noqa: E402


class Parser(argparse.ArgumentParser):
    """Usage errors as one sentence."""

    def error(self, message: str) -> "None":  # type: ignore[override]
        raise InvalidError(f"{message}; see '{self.prog} --help'")


def _numbers(text: str) -> List[float]:
    values = []
    for item in text.split(","):
        top, slash, bottom = item.partition("/")
        values.append(float(top) / float(bottom) if slash else float(top))
    return values


def _add_common(parser: argparse.ArgumentParser, precision: bool = True) -> None:
    parser.add_argument("-d", "--device", metavar="SEL", help="P:D as info prints it, part of a name, or gpu, cpu, any")
    parser.add_argument("--cache-dir", metavar="DIR", help="where compiled kernels and tuning are kept")
    if precision:
        parser.add_argument("-p", "--precision", choices=("f32", "f16"), default="f32", help="how values are stored [f32]")
        parser.add_argument("--shape", metavar="NAME=DIMS", action="append", default=[],
                            help="fix an input's free dimensions: x=1x3x224x224, or 1x3x224x224 for the only input")


def _parser() -> Parser:
    parser = Parser(prog="python -m sepcl", description="Runs convolutional networks on any OpenCL device.",
                    epilog="Exit codes are those of the programs: 2 usage, 3 bad file, 4 unsupported, 5 device, 6 memory.")
    parser.add_argument("--version", action="version", version=f"sepcl {__version__}")
    general = Parser(add_help=False)
    general.add_argument("-v", "--verbose", action="count", default=0, help="say what was chosen and why")
    general.add_argument("--json", action="store_true", help="print one JSON object instead of text")
    commands = parser.add_subparsers(dest="command", required=True, metavar="info|summary|run|bench|tune")

    info = commands.add_parser("info", parents=[general], help="show the OpenCL devices")
    info.add_argument("--cache-dir", metavar="DIR", help="folder of the caches to tell of")
    info.add_argument("--measure", action="store_true", help="measure peak, bandwidth and launch cost")
    info.set_defaults(function=_commands.info)

    summary = commands.add_parser("summary", parents=[general], help="print the layers of a model")
    summary.add_argument("model")
    summary.add_argument("--shape", metavar="NAME=DIMS", action="append", default=[])
    summary.set_defaults(function=_commands.summary)

    run = commands.add_parser("run", parents=[general], help="run a model on arrays or pictures")
    run.add_argument("model")
    run.add_argument("inputs", nargs="*", metavar="[NAME=]FILE", help="a .npy array, or a picture (needs Pillow)")
    run.add_argument("-o", "--output", metavar="[NAME=]FILE", action="append", default=[], help="write an output as .npy")
    run.add_argument("-k", "--top", type=int, metavar="K", help="print the K best classes [5 with --labels]")
    run.add_argument("-l", "--labels", metavar="FILE", help="names of the classes, one a line")
    run.add_argument("--mean", type=_numbers, metavar="M[,M,M]", help="subtracted from a picture's values of 0 to 255")
    run.add_argument("--scale", type=_numbers, metavar="S[,S,S]", help="multiplied with what is left; 1/255 is understood")
    run.add_argument("--resize", choices=("crop", "stretch"), default="crop")
    run.add_argument("--channels", choices=("rgb", "bgr", "gray"))
    run.add_argument("--random", nargs="?", type=int, const=1, metavar="SEED", help="random values where there is no file")
    run.add_argument("--check", action="store_true", help="compare every layer with the reference")
    _add_common(run)
    run.set_defaults(function=_commands.run)

    bench = commands.add_parser("bench", parents=[general], help="time models from inputs to outputs")
    bench.add_argument("models", nargs="+", metavar="model")
    bench.add_argument("--repeat", type=int, default=50, metavar="N", help="timed runs [50]")
    bench.add_argument("--layers", action="store_true", help="time every step, slowest first")
    _add_common(bench)
    bench.set_defaults(function=_commands.bench)

    tune = commands.add_parser("tune", parents=[general], help="find and keep the fastest kernels for this device")
    tune.add_argument("models", nargs="+", metavar="model")
    tune.add_argument("--budget", type=float, default=45, metavar="SECONDS", help="time for each model [45]")
    tune.add_argument("--again", action="store_true", help="also measure what has an entry already")
    _add_common(tune)
    tune.set_defaults(function=_commands.tune)
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    try:
        options = _parser().parse_args(arguments)
        if options.verbose:
            set_log(lambda _level, line: print(f"sepcl: {line}", file=sys.stderr), "info" if options.verbose == 1 else "debug")
        options.function(options)
        sys.stdout.flush()
    except Error as error:
        print(f"sepcl: {error}", file=sys.stderr)
        return error.status
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # whoever read it has enough; nothing more may be flushed into the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
