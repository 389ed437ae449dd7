/* SPDX-License-Identifier: Apache-2.0 */
/* The TFLite importer. */
#ifndef SEPCL_IMPORT_TFLITE_H
#define SEPCL_IMPORT_TFLITE_H

#include "import/import.h"

extern const importer import_tflite;

/* What is supported, for documentation: the name of the i-th op, and its limits in a few words ("" when there are
   none). NULL past the end. note may be NULL. */
const char *tflite_op_support(int i, const char **note);

#endif
