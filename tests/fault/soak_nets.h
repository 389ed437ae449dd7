/* SPDX-License-Identifier: Apache-2.0 */
/* The networks of soak.c: small ones of the structures that convolutional networks have, with a free batch. */
#ifndef SEPCL_TESTS_FAULT_SOAK_NETS_H
#define SEPCL_TESTS_FAULT_SOAK_NETS_H

#include <stddef.h>

typedef struct soak_net {
    const char *name;
    size_t (*make)(unsigned char **file); /* an ONNX file in malloc'd memory; its size */
} soak_net;

/* Ended by one without a name. */
extern const soak_net soak_nets[];

#endif
