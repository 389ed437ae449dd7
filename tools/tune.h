/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of sepcl-tune. */
#ifndef SEPCL_TOOLS_TUNE_H
#define SEPCL_TOOLS_TUNE_H

#include "common/json.h"
#include "sepcl/sepcl.h"

/* A finished layer, or chain of layers. Texts are its own. */
typedef struct tune_layer {
    sepcl_tune_result r;
} tune_layer;

typedef struct tune_model {
    const char        *file;
    sepcl_device_info  device;
    sepcl_model       *model;
    sepcl_input_shape *shapes;
    int                n_shapes;
    sepcl_session     *before, *after;
    double             before_s, after_s; /* medians end to end; 0: not measured */
    double             seconds, budget;   /* that the tuning took, and might take */
    bool               stopped;
    tune_layer        *layers;
    int                n_layers, room;
} tune_model;

/* tune_measure.c: runs both sessions in turns, each from input written to output read. after may be NULL. */
sepcl_status tune_measure(tune_model *m);
/* Set by Ctrl-C; a second one ends the program. */
bool tune_interrupted(void);
void tune_catch_interrupt(void);

/* tune_report.c */
void    tune_report(const tune_model *m);
json_t *tune_json(const tune_model *m);

#endif
