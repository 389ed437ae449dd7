/* SPDX-License-Identifier: Apache-2.0 */
/* Writing an ONNX file again with some of its convolutions replaced. All else is copied byte by byte. */
#ifndef SEPCL_IMPORT_ONNX_EDIT_H
#define SEPCL_IMPORT_ONNX_EDIT_H

#include "import/onnx_model.h"

const char *onnx_edit_why_not(const onnx_model *m, const char *value);
status      onnx_edit(const onnx_model *m, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out);

#endif
