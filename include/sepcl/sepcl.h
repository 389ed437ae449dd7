/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sepcl: run convolutional networks on any OpenCL device.
 *
 * In short: load a model, make a session on a device, write inputs, run, read outputs.
 *
 *     sepcl_model *model;
 *     sepcl_session *session;
 *     sepcl_model_load("net.onnx", NULL, &model);
 *     sepcl_session_create(model, NULL, &session);
 *     sepcl_session_write(session, 0, pixels, bytes);
 *     sepcl_session_run(session);
 *     sepcl_session_read(session, 0, scores, bytes);
 *
 * Conventions that hold for every function here:
 *  - A fallible function returns sepcl_status. Its result, if any, goes through the last argument, which is
 *    set to NULL (or zeroed) on failure. A result pointer itself must not be NULL.
 *  - After a failure sepcl_last_error() gives a sentence that names file, layer, op, value and limit.
 *  - A desc struct may be NULL or zero-filled: every zero field means the default named beside it.
 *  - Destroy functions accept NULL.
 *  - The library never prints and never aborts on bad input. Messages go to the log callback, if one is set.
 *  - Strings are UTF-8 and NUL-terminated. Strings returned belong to the object that they were asked of.
 *  - Tensors cross this interface as dense row-major float32, in the layout of the model file (NCHW for ONNX, NHWC for
 *    TFLite).
 */
#ifndef SEPCL_H
#define SEPCL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEPCL_VERSION_MAJOR 0
#define SEPCL_VERSION_MINOR 1
#define SEPCL_VERSION_PATCH 0

#if defined(SEPCL_STATIC)
#define SEPCL_API
#elif defined(_WIN32)
#define SEPCL_API __declspec(dllimport)
#else
#define SEPCL_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* Result of every fallible call. The values are also the exit codes of the programs. */
typedef enum sepcl_status {
    SEPCL_OK = 0,
    SEPCL_MISMATCH = 1,     /* an answer was checked and is wrong */
    SEPCL_INVALID = 2,      /* an argument is wrong (unknown name, size that does not fit, ...) */
    SEPCL_BAD_FILE = 3,     /* a file is missing, unreadable, truncated or contradicts itself */
    SEPCL_UNSUPPORTED = 4,  /* a valid model that needs something sepcl lacks */
    SEPCL_DEVICE_ERROR = 5, /* no usable device, or OpenCL failed */
    SEPCL_OUT_OF_MEMORY = 6
} sepcl_status;

/* Most dimensions that a tensor can have. */
#define SEPCL_MAX_RANK 8

/* A tensor's extents, outermost first; dims[rank..] are 0. A dimension of -1 is not fixed yet. */
typedef struct sepcl_shape {
    int32_t rank;
    int64_t dims[SEPCL_MAX_RANK];
} sepcl_shape;

/* ---------------------------------------------------------------- errors, log, version */

/* Version of the library in use, as "major.minor.patch". */
SEPCL_API const char *sepcl_version(void);

/* Short name of a status ("bad file"); never NULL. */
SEPCL_API const char *sepcl_status_name(sepcl_status status);

/* The sentence that belongs to this thread's last failure; "" if there was none. Valid until this thread's
   next call that fails. Never NULL. */
SEPCL_API const char *sepcl_last_error(void);

typedef enum sepcl_log_level {
    SEPCL_LOG_OFF = 0,
    SEPCL_LOG_WARN = 1, /* something did not work, and another way was found */
    SEPCL_LOG_INFO = 2, /* what was chosen and why */
    SEPCL_LOG_DEBUG = 3
} sepcl_log_level;

/* Receives one line, without a newline. May be called from any thread that is inside a sepcl call. */
typedef void (*sepcl_log_fn)(void *user, sepcl_log_level level, const char *line);

/* Sets the process-wide log callback; NULL (the start) turns it off. Not to be called while other threads
   are inside sepcl. */
SEPCL_API void sepcl_set_log(sepcl_log_fn fn, void *user, sepcl_log_level level);

/* ---------------------------------------------------------------- devices */

typedef enum sepcl_device_type {
    SEPCL_DEVICE_OTHER = 0,
    SEPCL_DEVICE_CPU = 1,
    SEPCL_DEVICE_GPU = 2,
    SEPCL_DEVICE_ACCELERATOR = 3
} sepcl_device_type;

/* Facts of one device. Strings live until the process ends. */
typedef struct sepcl_device_info {
    const char *selector; /* "P:D": platform and device index, what a device option takes */
    const char *name, *vendor, *platform;
    const char *driver_version, *device_version, *c_version, *platform_version;
    sepcl_device_type type;
    bool available;       /* the driver says so, and it has a compiler of OpenCL C 1.2 and is little-endian */
    uint32_t compute_units;
    uint32_t clock_mhz;
    uint64_t max_work_group;
    uint64_t max_work_item[3];
    uint64_t local_bytes;
    bool local_is_real;   /* dedicated local memory, not a part of global memory */
    uint64_t global_bytes, max_alloc_bytes, constant_bytes, cache_bytes;
    uint32_t cache_line_bytes, align_bytes;
    uint32_t vector_width_f32, native_vector_width_f32, vector_width_f16;
    bool fp16, fp64, subgroups, integer_dot, command_buffer, unified_memory, images;
} sepcl_device_info;

/* Counts the devices of every type on every platform. 0 devices is a success. The first call enumerates;
   later calls answer from memory. Safe from any thread. */
SEPCL_API sepcl_status sepcl_device_count(int *count_out);

/* Facts of device index (0 ... count-1, in selector order). */
SEPCL_API sepcl_status sepcl_device_get(int index, sepcl_device_info *info_out);

/* Finds the device that a selector means: "P:D", part of a device's or platform's name in any case, "gpu", "cpu", "any".
   NULL or "" means SEPCL_DEVICE from the environment, else "any": the first GPU, else accelerator, else CPU. */
SEPCL_API sepcl_status sepcl_device_find(const char *selector, int *index_out);

/* What a measurement of a device found. */
typedef struct sepcl_device_speed {
    double fma_gflops;      /* float32 multiply-add peak, an addition and a multiplication counted as two */
    double bandwidth_gbs;   /* global memory, read plus written bytes, in 1e9 bytes a second */
    double cache_gbs;       /* the same where all data stays in the caches; 0 when the device names none */
    double launch_us;       /* one more kernel in a batch */
    double round_trip_us;   /* a kernel with a wait */
} sepcl_device_speed;

/* Measures a device for about a second. Blocks; only one measurement at a time gives a true answer. */
SEPCL_API sepcl_status sepcl_device_measure(int index, sepcl_device_speed *speed_out);

/* Called for each kernel variant tested. error is the largest difference over the largest magnitude.
   detail says what failed, NULL when nothing did. Return false to stop. */
typedef struct sepcl_self_test_result {
    const char *op, *kernel, *parameters;
    int cases, failed;
    double error, tolerance;
    const char *detail;
    bool banned;          /* it was wrong, and is kept in the tuning file as not to be used on this device */
} sepcl_self_test_result;
typedef bool (*sepcl_self_test_fn)(void *user, const sepcl_self_test_result *result);

typedef struct sepcl_self_test_desc {
    int device;           /* device index */
    const char *op;       /* only this op; NULL: all */
    bool quick;           /* only the cases of odd shapes and margins, and one parameter set a kernel row */
    bool f16;             /* values stored as half */
    const char *cache_dir; /* as in sepcl_session_desc */
    bool no_cache;
} sepcl_self_test_desc;

/* Runs every kernel variant that fits the device over its cases and compares with the scalar reference.
   SEPCL_MISMATCH if one differs. Such a one is banned: sessions on this device and driver do not use it any more. */
SEPCL_API sepcl_status sepcl_device_self_test(const sepcl_self_test_desc *desc, sepcl_self_test_fn fn, void *user);

/* What sepcl would choose on a device: one line a kernel ("pointwise: gemm 6x32, work-group 1"), index from 0.
   SEPCL_INVALID past the end. line_out is valid until this thread's next call of the function. */
SEPCL_API sepcl_status sepcl_device_choice(int index, int line, const char **line_out);

/* State of the caches for a device. */
typedef struct sepcl_cache_info {
    const char *dir;      /* folder in use; NULL when caching is off. Valid until this thread's next call */
    int programs;         /* entries for any device */
    uint64_t program_bytes;
    int tunings;          /* tuning entries for this device and driver */
    int bans;             /* kernel variants that gave wrong answers there, and are not used */
} sepcl_cache_info;
SEPCL_API sepcl_status sepcl_device_cache(int index, const char *cache_dir, sepcl_cache_info *info_out);

/* Ban number i of a device: "conv f32 gemm/gemm MR=6 V=8: case 3: differs by 0.5 (limit 1e-05)". The text is valid until
   this thread's next call; SEPCL_INVALID past the last one. A ban is lifted by removing its line from the tuning file,
   or by another driver or kernel. */
SEPCL_API sepcl_status sepcl_device_ban(int index, const char *cache_dir, int i, const char **line_out);

/* ---------------------------------------------------------------- model */

/* A trained network as read from a file. Immutable: any number of threads and sessions may share it.
   It must outlive its sessions. */
typedef struct sepcl_model sepcl_model;

typedef struct sepcl_model_desc {
    const char *name;     /* what errors call the model; NULL: the file's path */
} sepcl_model_desc;

/* Reads a model file; the format is found from its content. External weights are looked for in the file's folder only. */
SEPCL_API sepcl_status sepcl_model_load(const char *path, const sepcl_model_desc *desc, sepcl_model **model_out);

/* Reads a model from memory. The bytes are not copied and must stay until the model is destroyed.
   External weights are refused. */
SEPCL_API sepcl_status sepcl_model_load_memory(const void *bytes, size_t size, const sepcl_model_desc *desc,
                                               sepcl_model **model_out);
SEPCL_API void sepcl_model_destroy(sepcl_model *model);

/* Inputs and outputs as the file declares them. A dimension of -1 is free and may be fixed per session. */
SEPCL_API int sepcl_model_input_count(const sepcl_model *model);
SEPCL_API int sepcl_model_output_count(const sepcl_model *model);
SEPCL_API const char *sepcl_model_input_name(const sepcl_model *model, int index);   /* NULL past the end */
SEPCL_API const char *sepcl_model_output_name(const sepcl_model *model, int index);
SEPCL_API sepcl_status sepcl_model_input_shape(const sepcl_model *model, int index, sepcl_shape *shape_out);

/* An input by name, for SEPCL_INVALID with a sentence that lists the names there are. */
SEPCL_API sepcl_status sepcl_model_find_input(const sepcl_model *model, const char *name, int *index_out);
SEPCL_API sepcl_status sepcl_model_find_output(const sepcl_model *model, const char *name, int *index_out);

/* Fixes the shape of one input. */
typedef struct sepcl_input_shape {
    const char *name;
    sepcl_shape shape;
} sepcl_input_shape;

/* One layer of the summary. Shapes are NHWC. Counts are for the whole batch of the given shapes. */
typedef struct sepcl_layer_info {
    const char *name;     /* the file's node or output name */
    const char *op;       /* "Conv2D", "DepthwiseConv2D", "Dense", ... */
    const char *detail;   /* "5x5 s1 valid", may be "" */
    sepcl_shape output;
    uint64_t parameters, trainable;
    uint64_t multiplications, additions;
    bool is_convolution;
    uint64_t dense_multiplications;     /* what the same layer would cost as one dense convolution */
    uint64_t separable_multiplications; /* depthwise k x k, then pointwise */
    uint64_t spatial_multiplications;   /* k x 1 with as many channels as the output has, then 1 x k; 0: no such form */
} sepcl_layer_info;

/* Layers of a model with its inputs fixed to the given shapes (the file's own where none is given). */
typedef struct sepcl_summary sepcl_summary;
SEPCL_API sepcl_status sepcl_summary_create(const sepcl_model *model, const sepcl_input_shape *shapes, int n_shapes,
                                            sepcl_summary **summary_out);
SEPCL_API void sepcl_summary_destroy(sepcl_summary *summary);
SEPCL_API int sepcl_summary_layer_count(const sepcl_summary *summary);
SEPCL_API sepcl_status sepcl_summary_layer(const sepcl_summary *summary, int index, sepcl_layer_info *info_out);

/* Ways to run a convolution. `rank` is a number of channels or filters between the two of them. */
typedef enum sepcl_form {
    SEPCL_FORM_AS_IT_IS = 0,
    SEPCL_FORM_SPATIAL = 1,   /* k x 1 to `rank` channels in each group, then 1 x k */
    SEPCL_FORM_DEPTHWISE = 2, /* depthwise with `rank` filters an input channel, then pointwise */
    SEPCL_FORM_LOW_RANK = 3,  /* pointwise to `rank` channels, then pointwise */
    SEPCL_FORM_FOLDED = 4     /* together with the convolution before it, as one; rank 0 */
} sepcl_form;

/* "spatial", ...; never NULL. */
SEPCL_API const char *sepcl_form_name(sepcl_form form);

/* Can weights be analysed? That needs LAPACK, which a build may lack. */
SEPCL_API bool sepcl_can_separate(void);

/* The form of a layer with the fewest multiplications whose weights are the same but for rounding (1e-6), if that are
   fewer than the layer has. form is SEPCL_FORM_AS_IT_IS where there is none, and for other layers than convolutions.
   Takes up to seconds for large layers. SEPCL_UNSUPPORTED where sepcl_can_separate() is false. */
typedef struct sepcl_exact_form {
    sepcl_form form;
    int rank;
    uint64_t multiplications;
} sepcl_exact_form;
SEPCL_API sepcl_status sepcl_summary_exact_form(const sepcl_summary *summary, int index, sepcl_exact_form *form_out);

/* ---------------------------------------------------------------- tuning */

typedef enum sepcl_precision {
    SEPCL_F32 = 0,
    SEPCL_F16 = 1 /* weights and activations stored as half, sums in float32 */
} sepcl_precision;

typedef struct sepcl_tune_desc {
    const char *device;          /* selector as in sepcl_device_find; NULL: SEPCL_DEVICE, else "any" */
    sepcl_precision precision;   /* 0: float32 */
    const sepcl_input_shape *shapes; /* as in sepcl_session_desc */
    int n_shapes;
    const char *cache_dir;       /* as in sepcl_session_desc; what was found is kept there */
    double budget;               /* seconds, about; 0: 45 */
    bool again;                  /* also measure what has an entry already */
} sepcl_tune_desc;

/* A layer, or layers that follow each other, whose ways to run were timed. Times are medians of one run by itself. */
typedef struct sepcl_tune_result {
    const char *name, *op;       /* of the first such layer; layers joined by " + " */
    int layers;                  /* of the model, that are the same */
    bool is_form;                /* before and after say which ops run the layers; else kernel and parameters of one op */
    bool used;                   /* false: other forms of these layers are faster, so that this one does not run */
    const char *before, *after;  /* without tuning, and with it; after is "" when no way was right */
    double before_us, after_us;  /* 0: the answer was wrong, or it did not run */
    double error;                /* of the winner against the reference: largest difference over largest magnitude */
    int tried, wrong;            /* ways timed; ways left out because the answer was wrong or they did not run */
} sepcl_tune_result;

/* Where sepcl_tune stands. Pointers are valid during the call. */
typedef struct sepcl_tune_state {
    double seconds, budget;      /* since the start */
    double done;                 /* share of the work, 0 ... 1; a guess */
    const char *name, *trying;   /* layer and kernel that come next; NULL when result is set */
    const sepcl_tune_result *result; /* what was found, near the end; or NULL */
} sepcl_tune_state;

/* Called several times a second. Return false to stop: what is finished is kept. */
typedef bool (*sepcl_tune_fn)(void *user, const sepcl_tune_state *state);

/* Times the forms and kernels that may run a model's layers on a device, the costliest layers first, and stores which
   were fastest for the sessions made later. What differs from the reference does not count. Needs a cache folder:
   SEPCL_INVALID without. Blocks; nothing else should run on the device meanwhile. fn may be NULL. */
SEPCL_API sepcl_status sepcl_tune(const sepcl_model *model, const sepcl_tune_desc *desc, sepcl_tune_fn fn, void *user);

/* ---------------------------------------------------------------- separating */

typedef struct sepcl_separate_desc {
    const char *device;          /* selector as in sepcl_device_find; NULL: SEPCL_DEVICE, else "any" */
    const sepcl_input_shape *shapes; /* as in sepcl_session_desc */
    int n_shapes;
    const char *cache_dir;       /* as in sepcl_session_desc */
    bool no_cache;
    const float *const *samples; /* n_samples times as many arrays as the model has inputs, in input order: whole inputs
                                    as sepcl_session_write takes them; borrowed for the call */
    int n_samples;               /* 0: four of random numbers from -1 to 1 */
    double tolerance;            /* largest error that the outputs may have on the samples: largest difference over largest
                                    magnitude; 0: only forms whose weights are exact to 1e-6 (rounding) */
    double target_speedup;       /* how many times faster the network should be, at the least error; 0: as fast as the
                                    tolerance allows. Without a tolerance any error is taken. */
} sepcl_separate_desc;

/* Where sepcl_separate stands. Strings are valid during the call. */
typedef struct sepcl_separate_state {
    double done;       /* share of the work, 0 ... 1; a guess */
    const char *phase; /* "timing", ... */
    const char *name;  /* layer; NULL: none */
} sepcl_separate_state;

/* Called several times a second. Return false to stop: sepcl_separate then fails with SEPCL_INVALID. */
typedef bool (*sepcl_separate_fn)(void *user, const sepcl_separate_state *state);

/* What was found about a model. Immutable. Strings and arrays handed out are its own. */
typedef struct sepcl_separation sepcl_separation;

/* Finds the convolutions of a model that separate, exactly or nearly, measures each form on a device, and chooses those
   that are faster there within the tolerance. Blocks for seconds to minutes; nothing else should run on the device.
   SEPCL_UNSUPPORTED where sepcl_can_separate() is false. fn may be NULL. The model has to outlive the separation. */
SEPCL_API sepcl_status sepcl_separate(const sepcl_model *model, const sepcl_separate_desc *desc, sepcl_separate_fn fn,
                                      void *user, sepcl_separation **separation_out);
SEPCL_API void sepcl_separation_destroy(sepcl_separation *separation);

/* Singular values of a convolution's weights written as matrices; of several matrices that share a rank, the root of the
   sum of squares. The weights are exact at `rank`; 0: they are all 0. */
typedef struct sepcl_spectrum {
    sepcl_form form;      /* SPATIAL, DEPTHWISE or LOW_RANK: what a rank leads to */
    const double *values; /* n, largest first */
    int n;
    int rank;
} sepcl_spectrum;

/* A form of a layer that was considered. */
typedef struct sepcl_form_info {
    sepcl_form form;
    int rank;
    bool exact;              /* weight_error is at most 1e-6 */
    double weight_error;     /* Frobenius norm of the weights' error over that of the weights */
    double gain;             /* the output's error is at most this times the input, whatever the input (Euclidean norms) */
    double bound;            /* the same for the samples, relative to the layer's output without bias */
    double error;            /* measured there: never above bound, but for the rounding of sums */
    uint64_t multiplications, bytes; /* of all of the form: tensors and weights once each, in float32 */
    double seconds;          /* with the layers that may be fused with it; 0: not timed */
    double as_is_seconds;    /* the same with the layer as it is, timed in turns with this form */
    const char *note;        /* what speaks against it; "" */
} sepcl_form_info;

/* A convolution of the model. */
typedef struct sepcl_separated_layer {
    const char *name, *op, *detail; /* as in sepcl_layer_info */
    sepcl_shape output;             /* NHWC */
    uint64_t multiplications, bytes;
    sepcl_spectrum spectra[2];
    int n_spectra, n_forms;
    int chosen;      /* index of the form taken; -1: as it is */
    bool absorbed;   /* it went into the layer behind it, which is folded */
    const char *why; /* what decided, in words */
} sepcl_separated_layer;

SEPCL_API int sepcl_separation_layer_count(const sepcl_separation *separation);
SEPCL_API sepcl_status sepcl_separation_layer(const sepcl_separation *separation, int index,
                                              sepcl_separated_layer *layer_out);
SEPCL_API sepcl_status sepcl_separation_form(const sepcl_separation *separation, int layer, int index,
                                             sepcl_form_info *form_out);
/* What a layer would cost in the form of its spectrum number `spectrum` at a rank from 1 to the spectrum's n. */
SEPCL_API sepcl_status sepcl_separation_cost(const sepcl_separation *separation, int layer, int spectrum, int rank,
                                             uint64_t *multiplications_out, uint64_t *bytes_out);

/* The whole network, before and after. */
typedef struct sepcl_separation_totals {
    const char *device;              /* name */
    uint64_t multiplications[2];     /* of the convolutions */
    double seconds[2];               /* of a run, timed in turns */
    double error;                    /* at the outputs, over all samples: largest difference over largest magnitude */
    int samples;
    bool random_samples;
    int rows, changed;               /* rows of class scores in the outputs, and how many have another best class */
    int layers, rewritten;           /* convolutions; those that are not as they were */
    bool target_met;                 /* false: target_speedup was asked for and not reached */
} sepcl_separation_totals;
SEPCL_API sepcl_status sepcl_separation_total(const sepcl_separation *separation, sepcl_separation_totals *totals_out);

/* The rewritten network as an ONNX file. Of an ONNX model it is the file that was read but for the convolutions that were
   rewritten; of a model in another format it is a new one with the same inputs and outputs, whose shapes are fixed. */
SEPCL_API sepcl_status sepcl_separation_file(const sepcl_separation *separation, const void **bytes_out,
                                             size_t *size_out);

/* A convolution without padding, stride 1, of an input of height x width x channels, run as one and separated. */
typedef struct sepcl_break_even_desc {
    const char *device;          /* selector as in sepcl_device_find; NULL: SEPCL_DEVICE, else "any" */
    const char *cache_dir;       /* as in sepcl_session_desc */
    bool no_cache;
    sepcl_precision precision;   /* 0: float32 */
    int height, width, channels; /* 0: 12, 12, 3 */
    int kernel[2];               /* height, width; 0: 5, 5 */
    int most;                    /* outputs: 1, 2, 4, ... up to this many; 0: 256 */
} sepcl_break_even_desc;

/* One form with so many output channels. seconds is 0 when there is no such form (k x 1 then 1 x k needs a kernel that is
   neither 1 high nor 1 wide). */
typedef struct sepcl_form_cost {
    uint64_t multiplications;
    double seconds; /* of a run, timed in turns with the other forms */
} sepcl_form_cost;
typedef struct sepcl_break_even_point {
    int outputs;
    sepcl_form_cost dense;     /* k x k */
    sepcl_form_cost separable; /* depthwise k x k, then pointwise */
    sepcl_form_cost spatial;   /* k x 1 to as many channels as there are outputs, then 1 x k */
} sepcl_break_even_point;

/* Called for each number of outputs, fewest first. Return false to stop: that is a success. */
typedef bool (*sepcl_break_even_fn)(void *user, const sepcl_break_even_point *point);

/* Measures from how many output channels on separating pays on a device. Blocks; nothing else should run on the device. */
SEPCL_API sepcl_status sepcl_break_even(const sepcl_break_even_desc *desc, sepcl_break_even_fn fn, void *user);

/* ---------------------------------------------------------------- session */

/* A model planned for one device, with its buffers. One thread at a time. */
typedef struct sepcl_session sepcl_session;

typedef struct sepcl_session_desc {
    const char *device;          /* selector as in sepcl_device_find; NULL: SEPCL_DEVICE, else "any" */
    sepcl_precision precision;   /* 0: float32 */
    const sepcl_input_shape *shapes; /* fixes free dimensions; an unfixed first dimension becomes 1 */
    int n_shapes;
    const char *cache_dir;       /* NULL: SEPCL_CACHE_DIR, else $XDG_CACHE_HOME/sepcl, else ~/.cache/sepcl */
    bool no_cache;               /* neither read nor write caches */
    bool profile;                /* record device times of every step (costs a little time) */
    bool no_fusion;              /* one kernel a layer; for comparison and --check */
    void *cl_context;            /* a cl_context to use, with cl_queue; borrowed for the session's life. NULL: own */
    void *cl_queue;              /* an in-order cl_command_queue of that context; decides the device */
} sepcl_session_desc;

SEPCL_API sepcl_status sepcl_session_create(const sepcl_model *model, const sepcl_session_desc *desc,
                                            sepcl_session **session_out);
/* May take some seconds after a device's first start: some drivers compile once more to give the programs for the cache. */
SEPCL_API void sepcl_session_destroy(sepcl_session *session);

/* Shapes with every dimension fixed, in the file's layout; index as in sepcl_model_input_name. */
SEPCL_API sepcl_status sepcl_session_input_shape(const sepcl_session *session, int index, sepcl_shape *shape_out);
SEPCL_API sepcl_status sepcl_session_output_shape(const sepcl_session *session, int index, sepcl_shape *shape_out);

/* Copies a whole input to the device. bytes must be 4 x its elements. The data may be reused on return. */
SEPCL_API sepcl_status sepcl_session_write(sepcl_session *session, int index, const float *data, size_t bytes);

/* Takes the input from this array at each run from now on, without a copy where the device works in the host's memory
   (CPUs); bytes as above. The array is borrowed: it must stay, and must not change while a run is under way, until
   sepcl_session_write, another bind of the input (NULL, 0: just ends it), or the session's end. Waits for runs under way. */
SEPCL_API sepcl_status sepcl_session_bind(sepcl_session *session, int index, const float *data, size_t bytes);

/* Enqueues the whole network and returns at once. Inputs must have been written once. */
SEPCL_API sepcl_status sepcl_session_enqueue(sepcl_session *session);

/* Blocks until all that was enqueued is done. */
SEPCL_API sepcl_status sepcl_session_wait(sepcl_session *session);

/* Enqueue, then wait. */
SEPCL_API sepcl_status sepcl_session_run(sepcl_session *session);

/* Waits, then copies a whole output. bytes must be 4 x its elements. */
SEPCL_API sepcl_status sepcl_session_read(sepcl_session *session, int index, float *data, size_t bytes);

/* Bytes that the session holds on its device. */
typedef struct sepcl_memory_info {
    uint64_t arena_bytes;     /* activations */
    uint64_t weight_bytes;    /* packed constants */
} sepcl_memory_info;
SEPCL_API sepcl_status sepcl_session_memory(const sepcl_session *session, sepcl_memory_info *info_out);

/* One step of the plan: usually one kernel launch. Times are of the last run of a profiled session, in
   nanoseconds on the device's clock; 0 when not profiled or when the device gave none. */
typedef struct sepcl_step_info {
    const char *name;      /* layer, or layers joined by " + " */
    const char *op;
    const char *kernel;    /* file, entry and parameter values */
    const char *why;       /* what decided the choice */
    sepcl_shape output;    /* NHWC */
    int launches;
    uint64_t global[3], local[3]; /* of the first launch */
    uint64_t multiplications, additions;
    uint64_t bytes;        /* of tensors and weights, read or written once each, as they are stored */
    uint64_t queued_ns, start_ns, end_ns; /* of the first launch, and the end of the last */
    uint64_t busy_ns;      /* in kernels: end minus start, summed over the launches */
} sepcl_step_info;
SEPCL_API int sepcl_session_step_count(const sepcl_session *session);
SEPCL_API sepcl_status sepcl_session_step(const sepcl_session *session, int index, sepcl_step_info *info_out);

/* A way to run a step that competed for it. A form says which ops run the step's layers and those that follow them alone
   ("separable, conv": the first two fused, the third by itself); the others are kernels with parameters for the step's op. */
typedef struct sepcl_way {
    const char *name;
    bool is_form;
    bool chosen;
    double measured_us;    /* by sepcl_tune on this device; 0: not measured */
    double predicted;      /* by the cost model, in cycles of a core on CPUs: only the order within a step means something.
                              0: this kernel has no prediction */
} sepcl_way;

/* Ways of a step: forms first, then kernels, the best first. Where something was measured that decided, else the prediction;
   sepcl_step_info.why says so. The first call plans once more; strings live until the session ends or runs after its
   device was lost. */
SEPCL_API sepcl_status sepcl_session_way_count(sepcl_session *session, int step, int *count_out);
SEPCL_API sepcl_status sepcl_session_way(sepcl_session *session, int step, int index, sepcl_way *way_out);

/* One layer of a comparison with the reference executor. */
typedef struct sepcl_check_result {
    int step;
    const char *name, *op;
    double error;          /* largest difference over the largest magnitude */
    double tolerance;
    int64_t where;         /* element of the largest difference */
    double got, want;
} sepcl_check_result;
typedef bool (*sepcl_check_fn)(void *user, const sepcl_check_result *result);

/* Runs the written inputs through device and reference and compares every layer. tolerance 0: 1e-4 (float32) or
   1e-2 (half storage). fn may be NULL, or return false to stop. SEPCL_MISMATCH names the first layer that differs. */
SEPCL_API sepcl_status sepcl_session_check(sepcl_session *session, double tolerance, sepcl_check_fn fn, void *user);

#ifdef __cplusplus
}
#endif
#endif
