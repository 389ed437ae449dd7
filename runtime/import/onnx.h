/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX importer. */
#ifndef SEPCL_IMPORT_ONNX_H
#define SEPCL_IMPORT_ONNX_H

#include "import/import.h"

extern const importer import_onnx;

/* What is supported, for documentation: the name of the i-th op, the first opset that has it (7 when it is older), and
   its limits in a few words ("" when there are none). NULL past the end. first_opset and note may be NULL. */
const char *onnx_op_support(int i, int *first_opset, const char **note);

#endif
