/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sepcl-separate. */
#ifndef SEPCL_TOOLS_SEPARATE_H
#define SEPCL_TOOLS_SEPARATE_H

#include "common/feed.h"
#include "common/json.h"
#include "sepcl/sepcl.h"

/* What the command line says. */
typedef struct separate_settings {
    const char   *out, *report, *calib; /* "/dev/stdout" for "-" */
    double        tolerance, speedup;
    bool          tolerance_given, speedup_given;
    int64_t       most;
} separate_settings;
extern separate_settings separate_set;

/* Inputs of the model, whole ones, n times one array each. */
typedef struct separate_samples {
    const float **data;
    int           n, n_inputs;
} separate_samples;

typedef struct separate_job {
    const char             *file;
    sepcl_model            *model;
    sepcl_input_shape      *shapes; /* n_shapes of the inputs, fixed */
    int                     n_shapes;
    sepcl_device_info       device;
    separate_samples        samples;
    sepcl_separation       *found;
    sepcl_separation_totals totals;
} separate_job;

/* separate_samples.c: the pictures or arrays of --calib. */
sepcl_status separate_read_samples(separate_job *j);
void         separate_free_samples(separate_job *j);

/* separate_report.c */
void    separate_print(const separate_job *j);
json_t *separate_json(const separate_job *j);
/* "spatial 32", "folded" */
char *separate_form_text(const sepcl_form_info *f);

/* separate_page.c: text to be freed. */
char *separate_page(const separate_job *j);

#endif
