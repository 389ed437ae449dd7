/* SPDX-License-Identifier: Apache-2.0 */
/* Stands for the Keras importer in a build without it: tells such files from others and refuses them. */
#include <string.h>

#include "import/keras.h"

static bool sniff(const uint8_t *bytes, size_t size, const char *path)
{
    (void)path;
    return size >= 8 && (memcmp(bytes, "\x89HDF\r\n\x1a\n", 8) == 0 || memcmp(bytes, "PK\3\4", 4) == 0);
}

static status refuse(const uint8_t *bytes, size_t size, const char *path, void **state_out)
{
    (void)bytes, (void)size, (void)path;
    *state_out = NULL;
    return fail(SEPCL_UNSUPPORTED, "a Keras file, but this build of sepcl has no Keras importer (SEPCL_KERAS: it needs "
                                   "jansson and zlib)");
}

const char *keras_layer_support(int i, const char **note)
{
    (void)i, (void)note;
    return NULL;
}

const importer import_keras = {.format = "Keras", .sniff = sniff, .open = refuse};
