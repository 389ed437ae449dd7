/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a Keras file, HDF5 or ZIP; never a crash, leak or hang. */
#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* other formats have targets of their own */
    if (size >= 8 && (bytes[0] == 0x89 || bytes[0] == 'P'))
        try_model_bytes(bytes, size);
    return 0;
}
