/* SPDX-License-Identifier: Apache-2.0 */
/* JSON output: jansson, with what files and measurements bring that JSON has no word for. */
#ifndef SEPCL_TOOLS_JSON_H
#define SEPCL_TOOLS_JSON_H

#include <jansson.h>

#include "sepcl/sepcl.h"

/* Text that need not be UTF-8 (cleaned); NULL becomes null. Never NULL. */
json_t *json_text(const char *s);
/* A number; null when it is infinite or not a number. Never NULL. */
json_t *json_number(double v);
json_t *json_count(uint64_t v);
json_t *json_shape(const sepcl_shape *s);
/* object[key] = value, which is taken over. */
void json_put(json_t *object, const char *key, json_t *value);
void json_add(json_t *array, json_t *value);

/* Writes value to standard output and frees it. */
void json_print(json_t *value);
/* malloc'd text with a newline at its end; frees value. Numbers have 9 digits, with exact 15. */
char *json_dump(json_t *value, bool indent);
char *json_dump_exact(json_t *value);

#endif
