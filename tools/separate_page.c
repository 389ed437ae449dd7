/* SPDX-License-Identifier: Apache-2.0 */
#include "common/text.h"
#include "separate.h"
char *separate_page(const separate_job *j)
{
    return text_format("%s", j->file);
}
