#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the operator cases that come with the onnx package through libsepcl: each is right, or refused in words; never wrong.

    node_cases.py --library LIBSEPCL.SO [--jobs N] [--at-least PERCENT] [--report FILE.json] [NAME ...]

The cases are onnx.backend.test.case.node, written out here, and the package's folders pytorch-converted,
pytorch-operator and simple. A case feeds everything, weights too, as inputs. It is tried so, and once more with all but the first input as
initializers, as a real model has them. Integers and booleans are initializers in both, for sepcl's interface takes
floats; a case that has no float input or output at all is outside. A case counts as right when one of the two ways is
right and neither is wrong. Exit 1 if one is wrong or crashes, or when the share of right ones among the cases of the ops
in runtime/import/onnx_ops.inc is below PERCENT. The report is what support.py makes its tables of.
"""
import argparse
import json
import pathlib
import queue
import subprocess
import sys
import threading

import numpy as np

import support

SUPPORTED = {entry.name for entry in support.table("onnx_ops.inc")}
FLOATS = (np.float32, np.float16)


def is_float(array):
    return isinstance(array, np.ndarray) and array.dtype in FLOATS and array.size > 0


# ---------------------------------------------------------------- one case (in a worker)

def variants(case, inputs):
    """The models to try, each with the names that stay inputs."""
    names = [i.name for i in case.model.graph.input]
    floats = [name for name, array in zip(names, inputs) if is_float(array)]
    result = []
    for live in (floats, floats[:1]):
        if live and live not in result:
            result.append(live)
    return result


def with_initializers(model, inputs, live):
    """The same model with every input that is not live as an initializer, and half inputs declared as they are."""
    import onnx
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    graph = changed.graph
    for info, array in zip(list(graph.input), inputs):
        if info.name in live:
            continue
        graph.input.remove(info)
        graph.initializer.append(onnx.numpy_helper.from_array(np.asarray(array), info.name))
    return changed.SerializeToString()


def difference(got, want):
    from compare import difference as relative
    return relative(got.reshape(want.shape) if got.size == want.size and want.ndim == 0 else got, want.astype(np.float32))


def try_case(library, case):
    """Gives ("right" | "refused" | "wrong" | "outside", sentence)."""
    import sepcl_library
    results = []
    inputs, outputs = case.data_sets[0]
    if not all(isinstance(a, np.ndarray) for a in inputs) or not all(is_float(a) for a in outputs):
        return "outside", "not tensors of floats"
    half = any(a.dtype == np.float16 for a in list(inputs) + list(outputs))
    names = [i.name for i in case.model.graph.input]
    for live in variants(case, inputs):
        model = with_initializers(case.model, inputs, live)
        feeds = {n: a for n, a in zip(names, inputs) if n in live}
        try:
            answers = library.run(model, case.name, feeds)
        except sepcl_library.Failure as failure:
            named = len(str(failure)) > 20 and case.name in str(failure)
            refused = failure.status == sepcl_library.UNSUPPORTED and named
            results.append(("refused" if refused else "wrong", f"{live}: status {failure.status}: {failure}"))
            continue
        worst = ("right", "")
        for info, want in zip(case.model.graph.output, outputs):
            error, why = difference(answers[info.name], want)
            # the standard writes this case's answers with four digits only
            digits = 5e-4 if case.name == "test_averagepool_2d_ceil_last_window_starts_on_pad" else 1e-4
            if error > (1e-2 if half else digits):
                worst = "wrong", f"{live}: output '{info.name}': {why or f'difference {error:.2e}'}"
        results.append(worst)
    if not results:
        return "outside", "no float input"
    for verdict in ("wrong", "right", "refused"):
        for result in results:
            if result[0] == verdict:
                return result
    return results[0]


def tensor(path):
    """The array in a file; the bytes of a sequence, which is outside."""
    import onnx
    from google.protobuf.message import DecodeError
    try:
        return onnx.numpy_helper.to_array(onnx.load_tensor(path))
    except (ValueError, TypeError, DecodeError):
        return path.read_bytes()


def stored_cases(kind):
    """Cases that the package keeps as files: layers as PyTorch once exported them, brought to an opset of today."""
    import types
    import onnx
    import onnx.backend.test
    import onnx.version_converter
    folder = pathlib.Path(onnx.backend.test.__file__).parent / "data" / kind
    for path in sorted(folder.glob("*/model.onnx")):
        if "multiparam" in path.parent.name:  # slopes of a shape that the conversion should have changed
            continue
        def arrays(which):
            files = sorted((path.parent / "test_data_set_0").glob(f"{which}_*.pb"), key=lambda f: int(f.stem.split("_")[1]))
            return [tensor(f) for f in files]
        model = onnx.load(path)
        if any(i.domain not in ("", "ai.onnx") for i in model.opset_import):
            continue
        if model.opset_import[0].version < 7:
            model = onnx.version_converter.convert_version(model, 13)
        weights = {t.name for t in model.graph.initializer}
        for info in [i for i in model.graph.input if i.name in weights]:
            model.graph.input.remove(info)
        yield types.SimpleNamespace(name=f"{kind}/{path.parent.name}", model=model, data_sets=[(arrays("input"), arrays("output"))])


def chosen(names):
    from onnx.backend.test.case.node import collect_testcases
    cases = [case for case in collect_testcases(None) if all(i.domain in ("", "ai.onnx") for i in case.model.opset_import)]
    for kind in ("pytorch-converted", "pytorch-operator", "simple"):
        cases += stored_cases(kind)
    return [case for case in cases if not names or any(part in case.name for part in names)]


def worker(arguments):
    """Does every N-th case from --first on, one JSON line before and after each."""
    sys.path.insert(0, str(pathlib.Path(__file__).parent))
    import sepcl_library
    library = sepcl_library.Library(arguments.library)
    cases = chosen(arguments.names)
    for index in range(arguments.first, len(cases), arguments.jobs):
        case = cases[index]
        ops = sorted({node.op_type for node in case.model.graph.node})
        print(json.dumps({"index": index, "name": case.name, "ops": ops}), flush=True)
        verdict, sentence = try_case(library, case)
        print(json.dumps({"verdict": verdict, "sentence": sentence}), flush=True)


# ---------------------------------------------------------------- all cases

def follow(arguments, first, results):
    """Runs a worker, and another after the case that killed it, until the cases are done. The first time that a worker
    dies its case is tried once more: PoCL's cache does not bear two processes that compile the same kernel. A case that
    kills its worker by itself does so both times."""
    may_try_again = True
    while True:
        command = [sys.executable, __file__, "--library", arguments.library, "--jobs", str(arguments.jobs), "--first", str(first)]
        with subprocess.Popen(command + arguments.names, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            errors = []
            reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
            reader.start()
            open_case = None
            for line in process.stdout:
                item = json.loads(line)
                if "index" in item:
                    open_case = item
                else:
                    results.put({**open_case, **item})
                    first = open_case["index"] + arguments.jobs
                    open_case = None
            code = process.wait()
            reader.join()
        if code == 0:
            break
        if may_try_again:
            may_try_again = False
            print(f"again    {open_case['name'] if open_case else 'worker'}  the process ended with {code}: {errors[0][-400:]}",
                  flush=True)
            continue
        if open_case is None:
            results.put({"name": "worker", "ops": [], "verdict": "wrong", "sentence": f"exit {code}: {errors[0][-400:]}"})
            break
        results.put({**open_case, "verdict": "wrong", "sentence": f"the process ended with {code}: {errors[0][-400:]}"})
        first = open_case["index"] + arguments.jobs
    results.put(None)


def gather(arguments):
    results, done, found = queue.Queue(), 0, []
    for first in range(arguments.jobs):
        threading.Thread(target=follow, args=(arguments, first, results), daemon=True).start()
    while done < arguments.jobs:
        item = results.get()
        if item is None:
            done += 1
            continue
        found.append(item)
        if item["verdict"] == "wrong" or arguments.verbose:
            print(f"{item['verdict']:8} {item['name']}  {item['sentence']}", flush=True)
    return found


def main():
    parser = argparse.ArgumentParser(description="Run onnx's operator cases through libsepcl.")
    parser.add_argument("--library", required=True)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--at-least", type=float, default=0, metavar="PERCENT")
    parser.add_argument("--report", type=pathlib.Path, metavar="FILE.json")
    parser.add_argument("--first", type=int, default=None, help=argparse.SUPPRESS)
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("names", nargs="*", metavar="NAME")
    arguments = parser.parse_args()
    if arguments.first is not None:
        worker(arguments)
        return
    found = gather(arguments)
    failed = False
    if arguments.report:
        support.write_report(arguments.report, found)
    for title, items in (("supported ops", [i for i in found if i["ops"] and set(i["ops"]) <= SUPPORTED]),
                         ("other ops", [i for i in found if not set(i["ops"]) <= SUPPORTED])):
        count = {verdict: sum(i["verdict"] == verdict for i in items) for verdict in ("right", "refused", "wrong", "outside")}
        inside = len(items) - count["outside"]
        share = 100 * count["right"] / inside if inside else 0
        print(f"{title}: {len(items)} cases, {count['right']} right ({share:.1f} % of those with float tensors), "
              f"{count['refused']} refused, {count['wrong']} wrong, {count['outside']} outside")
        if title == "supported ops":
            failed = not arguments.names and share < arguments.at_least
            if failed:
                print(f"{share:.1f} % is less than the {arguments.at_least} % that are asked for")
    sys.exit(1 if failed or not found or any(i["verdict"] == "wrong" for i in found) else 0)


if __name__ == "__main__":
    main()
