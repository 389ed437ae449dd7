/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sepcl-info. */
#ifndef SEPCL_TOOLS_INFO_H
#define SEPCL_TOOLS_INFO_H

#include "sepcl/sepcl.h"

typedef struct info_settings {
    bool        measure, self_test, quick;
    const char *op;
} info_settings;
extern info_settings info_set;

typedef struct info_device {
    int                index;
    bool               is_default;
    sepcl_device_info  info;
    sepcl_device_speed speed; /* with --measure */
    sepcl_cache_info   cache; /* dir NULL: caching is off */
    char              *cache_dir;
} info_device;

void         info_print(const info_device *devices, int n);
void         info_print_json(const info_device *devices, int n);
sepcl_status info_self_test(int device);

#endif
