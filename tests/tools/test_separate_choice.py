# SPDX-License-Identifier: Apache-2.0
"""What sepcl-separate chooses, where a multiplication takes a nanosecond and nothing else takes time (fixed_times.c): the
same on every machine, however busy."""
import os
import random
import unittest

import formats
from programs import ProgramTest

NS = 1e-6  # in ms, as the program counts
CHANNELS, SIZE = 16, 12


def near_rank_one(seed, damage, channels=CHANNELS, k=5):
    """[out][in][k][k] weights that are one product (i, y) x (x, o) but for `damage` of something else."""
    source = random.Random(seed)
    a = [source.uniform(-1, 1) for _ in range(channels * k)]
    b = [source.uniform(-1, 1) for _ in range(k * channels)]
    return [(a[i * k + y] * b[x * channels + o] + damage * source.uniform(-1, 1)) / channels
            for o in range(channels) for i in range(channels) for y in range(k) for x in range(k)]


def chain(*damages):
    """5 x 5 convolutions in a row, all of the same shape, and the means of the last one's channels."""
    nodes, weights, x = [], [], "x"
    for i, damage in enumerate(damages):
        nodes += [formats.node("Conv", [x, f"w{i}"], [f"c{i}"], name=f"layer_{i}", kernel_shape=[5, 5], pads=[2, 2, 2, 2]),
                  formats.node("Relu", [f"c{i}"], [f"r{i}"])]
        weights.append(formats.tensor(f"w{i}", [CHANNELS, CHANNELS, 5, 5], near_rank_one(i, damage)))
        x = f"r{i}"
    nodes += [formats.node("GlobalAveragePool", [x], ["p"]), formats.node("Flatten", ["p"], ["y"])]
    return formats.model(nodes, {"x": [1, CHANNELS, SIZE, SIZE]}, {"y": [1, CHANNELS]}, weights)


DENSE = CHANNELS * CHANNELS * 25 * SIZE * SIZE  # multiplications of a layer as it is
EXACT = 2 * CHANNELS * 5 * SIZE * SIZE  # as a pair of rank 1


class ChoiceTest(ProgramTest):
    def path(self, program):
        return os.environ["SEPCL_SEPARATE_FIXED"] if program == "sepcl-separate" else super().path(program)

    def separate(self, model, *arguments, slow=None):
        """Its JSON, in which all numbers have to agree with each other."""
        self.write("m.onnx", model)
        answer = self.json("sepcl-separate", "m.onnx", "-o", "n.onnx", *arguments,
                           environment={"SEPCL_FIXED_SLOW": slow or ""})
        chosen = {layer["name"]: layer["forms"][layer["chosen"]] for layer in answer["layers"] if layer["chosen"] is not None}
        self.assertEqual(answer["rewritten"], len(chosen))
        saved = sum(layer["multiplications"] - chosen[layer["name"]]["multiplications"] for layer in answer["layers"]
                    if layer["name"] in chosen)
        self.assertEqual(answer["multiplications_before"] - answer["multiplications_after"], saved)
        if slow is None:
            self.assertAlmostEqual(answer["before_ms"] - answer["after_ms"], NS * saved)
            for layer in answer["layers"]:
                for form in layer["forms"]:
                    if form["us"] is not None:
                        self.assertAlmostEqual(form["as_it_is_us"] - form["us"],
                                               1e3 * NS * (layer["multiplications"] - form["multiplications"]))
        return answer, {name: (form["form"], form["rank"]) for name, form in chosen.items()}

    def why(self, answer, name):
        return next(layer["why"] for layer in answer["layers"] if layer["name"] == name)


class ExactChoices(ChoiceTest):
    def test_what_is_exact_and_faster_is_taken(self):
        answer, chosen = self.separate(chain(0, 1, 0))
        self.assertEqual(chosen, {"layer_0": ("spatial", 1), "layer_2": ("spatial", 1)})
        self.assertEqual(answer["multiplications_before"], 3 * DENSE)
        self.assertEqual(answer["multiplications_after"], DENSE + 2 * EXACT)
        self.assertTrue(answer["target_met"])
        self.assertLess(answer["error"], 1e-5)
        self.assertEqual(self.why(answer, "layer_0"), "spatial at rank 1, exact: "
                         f"{1e-3 * EXACT:.0f} us instead of {1e-3 * DENSE:.0f}")
        self.assertEqual(self.why(answer, "layer_1"), "left: of full rank")
        sizes = [(self.folder / name).stat().st_size for name in ("m.onnx", "n.onnx")]
        self.assertLess(sizes[1], sizes[0] / 2)

    def test_a_network_that_is_no_faster_stays(self):
        answer, chosen = self.separate(chain(0, 1, 0), slow="y")
        self.assertEqual(chosen, {})
        self.assertEqual(answer["before_ms"], answer["after_ms"])
        self.assertEqual(answer["error"], 0)
        for name in ("layer_0", "layer_2"):
            self.assertEqual(self.why(answer, name), "left: another form is faster by itself, but the network is not")
        self.assertEqual((self.folder / "m.onnx").stat().st_size, (self.folder / "n.onnx").stat().st_size)

    def test_a_form_that_is_no_faster_is_left(self):
        """A 3 x 3 filter of one channel: 9 multiplications, 6 as a pair of rank 1, 12 as two such pairs."""
        for weights, chosen, why in (([1, 2, 3, 2, 4, 6, 3, 6, 9], {"small": ("spatial", 1)}, "spatial at rank 1, exact: "),
                                     ([1, 0, 0, 0, 1, 0, 0, 0, 0], {}, "left: exact as spatial from 2 of 3 on, which saves nothing")):
            nodes = [formats.node("Conv", ["x", "w"], ["y"], name="small", kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
            model = formats.model(nodes, {"x": [1, 1, 40, 40]}, {"y": [1, 1, 40, 40]}, [formats.tensor("w", [1, 1, 3, 3], weights)])
            answer, found = self.separate(model)
            self.assertEqual(found, chosen)
            self.assertTrue(self.why(answer, "small").startswith(why), self.why(answer, "small"))

    def test_times_that_make_no_sense_choose_nothing(self):
        for option in ([], ["--tolerance", 0.5], ["--target-speedup", 2]):
            answer, chosen = self.separate(chain(0, 0.001), *option, slow="*")
            self.assertEqual((chosen, answer["after_ms"]), ({}, answer["before_ms"]))
            self.assertEqual(answer["target_met"], "--target-speedup" not in option)


class NearChoices(ChoiceTest):
    """All layers save the same time at the same rank; their errors are some hundred times apart."""

    def setUp(self):
        super().setUp()
        self.model = chain(3e-2, 3e-4, 3e-6)
        self.order = ["layer_2", "layer_1", "layer_0"]  # least error first

    def test_a_tolerance_is_spent_on_the_least_errors_first(self):
        errors = []
        for layers, tolerance in enumerate((1e-8, 1e-5, 2e-3, 5e-2)):
            answer, chosen = self.separate(self.model, "--tolerance", tolerance)
            self.assertEqual(chosen, {name: ("spatial", 4) for name in self.order[:layers]})
            self.assertLessEqual(answer["error"], tolerance)
            errors.append(answer["error"])
        self.assertEqual(errors, sorted(errors))

    def test_nothing_is_taken_without_a_tolerance(self):
        answer, chosen = self.separate(self.model)
        self.assertEqual((chosen, answer["error"]), ({}, 0))

    def test_a_target_takes_no_more_than_it_needs(self):
        for speed, layers in ((1.2, 1), (2.0, 2), (5.0, 3)):
            answer, chosen = self.separate(self.model, "--target-speedup", speed)
            self.assertTrue(answer["target_met"])
            self.assertGreaterEqual(answer["before_ms"], speed * answer["after_ms"])
            self.assertEqual(set(chosen), set(self.order[:layers]))
            for name in self.order[layers:]:
                self.assertIn("left: the speed-up that was asked for is reached without ", self.why(answer, name))

    def test_a_speed_that_is_there_already(self):
        answer, chosen = self.separate(self.model, "--target-speedup", 1)
        self.assertEqual((chosen, answer["target_met"], answer["error"]), ({}, True, 0))
        out, errors = self.run_program("sepcl-separate", "m.onnx", "--target-speedup", 1)
        self.assertIn("It is as fast as was asked for: the model is left as it is", out)
        self.assertEqual(errors, "")

    def test_a_target_out_of_reach(self):
        answer, chosen = self.separate(self.model, "--target-speedup", 900)
        self.assertFalse(answer["target_met"])
        self.assertEqual(set(chosen), set(self.order))
        _, errors = self.run_program("sepcl-separate", "m.onnx", "--target-speedup", 900)
        self.assertEqual(errors, "sepcl-separate: warning: m.onnx: a speed-up of 900 was asked for; the most that was found is "
                         f"{answer['before_ms'] / answer['after_ms']:.3g}\n")

    def test_a_target_within_a_tolerance(self):
        answer, chosen = self.separate(self.model, "--target-speedup", 5, "--tolerance", 2e-3)
        self.assertFalse(answer["target_met"])
        self.assertLessEqual(answer["error"], 2e-3)
        self.assertEqual(set(chosen), set(self.order[:2]))
        answer, chosen = self.separate(self.model, "--target-speedup", 1.2, "--tolerance", 2e-3)
        self.assertTrue(answer["target_met"])
        self.assertEqual(set(chosen), {"layer_2"})

    def test_a_target_that_the_network_never_reaches(self):
        answer, chosen = self.separate(self.model, "--target-speedup", 4, slow="y")
        self.assertEqual((chosen, answer["target_met"], answer["after_ms"]), ({}, False, answer["before_ms"]))
        _, errors = self.run_program("sepcl-separate", "m.onnx", "--target-speedup", 4, environment={"SEPCL_FIXED_SLOW": "*"})
        self.assertIn("the most that was found is 1\n", errors)


if __name__ == "__main__":
    unittest.main()
