/* SPDX-License-Identifier: Apache-2.0 */
/* The public header compiles alone, and the library in use is of its version. Compiled as C11 here, as C++17 through
   test_header.cpp. */
#include "sepcl/sepcl.h"

#include <stdio.h>
#include <string.h>

int main(void)
{
    char want[32];
    snprintf(want, sizeof(want), "%d.%d.%d", SEPCL_VERSION_MAJOR, SEPCL_VERSION_MINOR, SEPCL_VERSION_PATCH);
    if (strcmp(sepcl_version(), want) != 0) {
        printf("library %s, header %s\n", sepcl_version(), want);
        return 1;
    }
    sepcl_model *model = (sepcl_model *)&want; /* set to NULL by a failing call */
    const sepcl_status status = sepcl_model_load("/nonexistent/model.onnx", NULL, &model);
    if (status != SEPCL_BAD_FILE || model != NULL || strstr(sepcl_last_error(), "/nonexistent/model.onnx") == NULL) {
        printf("status %d, sentence '%s'\n", (int)status, sepcl_last_error());
        return 1;
    }
    sepcl_model_destroy(NULL);
    sepcl_session_destroy(NULL);
    sepcl_summary_destroy(NULL);
    return 0;
}
