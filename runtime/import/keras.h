/* SPDX-License-Identifier: Apache-2.0 */
/* Keras files: .h5 and .hdf5 of Keras 1 to 3, and .keras. */
#ifndef SEPCL_IMPORT_KERAS_H
#define SEPCL_IMPORT_KERAS_H

#include "import/import.h"

extern const importer import_keras;

/* Entry i of the list of supported layers: its class; NULL past the end. *note: limits, may be "". */
const char *keras_layer_support(int i, const char **note);

#endif
