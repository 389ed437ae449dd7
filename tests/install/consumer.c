/* SPDX-License-Identifier: Apache-2.0 */
#include <sepcl/sepcl.h>
#include <stdio.h>

int main(void)
{
    int devices = 0;
    if (sepcl_device_count(&devices) != SEPCL_OK) {
        fprintf(stderr, "%s\n", sepcl_last_error());
        return 1;
    }
    printf("%s\n", sepcl_version());
    return 0;
}
