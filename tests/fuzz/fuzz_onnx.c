/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ONNX file; never a crash, leak or hang. */
#include "model_bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    try_model_bytes(bytes, size);
    return 0;
}
