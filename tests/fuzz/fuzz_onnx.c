/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as an ONNX file: opened, checked, and built where its shapes are known; never a crash, leak or hang. */
#include "sepcl/sepcl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    sepcl_model   *model;
    sepcl_summary *summary;
    if (sepcl_model_load_memory(bytes, size, NULL, &model) == SEPCL_OK &&
        sepcl_summary_create(model, NULL, 0, &summary) == SEPCL_OK)
        sepcl_summary_destroy(summary);
    sepcl_model_destroy(model);
    return 0;
}
