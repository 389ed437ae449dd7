#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spatial.py FILTER.onnx IN.png OUT.png: filters a grey picture; make_filters.py writes filters."""
import sys

import numpy as np
import sepcl
from PIL import Image

gray = np.asarray(Image.open(sys.argv[2]).convert("L"), np.float32)[None, None] / 255
with sepcl.Model(sys.argv[1]) as model, model.session(shapes=gray.shape) as session:
    y = session(gray)[0, 0]
    for step in session.steps():
        print(f"{step.op}: {step.kernel}")
print(f"middle: {y[y.shape[0] // 2, y.shape[1] // 2]:.6f}")
span = max(float(np.ptp(y)), 1e-30)
Image.fromarray(np.uint8(255 * (y - y.min()) / span + 0.5)).save(sys.argv[3])
