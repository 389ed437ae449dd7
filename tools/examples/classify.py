#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""classify.py MODEL.onnx PICTURE HEIGHT WIDTH: the class of a picture, for a model of RGB values from -1 to 1."""
import sys

import sepcl

path, picture, height, width = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
shape = (1, 3, height, width)
with sepcl.Model(path) as model, model.session(shapes=shape) as session:
    scores = session(sepcl.picture(picture, shape, mean=127.5, scale=1 / 127.5, resize="stretch"))[0]
print(f"class {scores.argmax()}, score {scores.max():.4f}")
