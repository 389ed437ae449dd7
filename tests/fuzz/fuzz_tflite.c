/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a TFLite file; never a crash, leak or hang. Bytes 4 to 7 are made the format's mark, so that none are
   spent on finding it. */
#include <stdlib.h>
#include <string.h>

#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint8_t *copy = size >= 8 ? malloc(size) : NULL;
    if (!copy)
        return 0;
    memcpy(copy, bytes, size);
    memcpy(copy + 4, "TFL3", 4);
    try_model_bytes(copy, size);
    free(copy);
    return 0;
}
