/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Keras file, HDF5 or ZIP; never a crash, leak or hang. */
#include <jansson.h>

#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    json_object_seed(1); /* or its tables would differ from process to process, and with them what is reached */
    /* other formats have targets of their own */
    if (size >= 8 && (bytes[0] == 0x89 || bytes[0] == 'P'))
        try_model_bytes(bytes, size);
    return 0;
}
