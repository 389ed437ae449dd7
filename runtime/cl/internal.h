/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of cl/ and their tests: the structs behind cl.h's opaque types. */
#ifndef SEPCL_CL_INTERNAL_H
#define SEPCL_CL_INTERNAL_H

#ifndef CL_TARGET_OPENCL_VERSION
#define CL_TARGET_OPENCL_VERSION 300
#endif
/* clCreateCommandQueue is the one queue constructor that every driver has. */
#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include "base/hash.h"
#include "cl/cl.h"

/* ---------------------------------------------------------------- error.c */

/* "CL_OUT_OF_RESOURCES"; an unknown number gives "OpenCL error -9999" in a buffer of the thread. */
const char *cl_error_name(cl_int error);
/* Sets "<text>: <name>" as the sentence, with a hint for the errors that need one; returns SEPCL_OUT_OF_MEMORY or
   SEPCL_DEVICE_ERROR. */
status cl_fail(cl_int error, const char *format, ...) SEPCL_PRINTF(2, 3);

/* ---------------------------------------------------------------- device.c, caps.c */

/* What was asked of a device once. Strings belong to the record. */
typedef struct device_record {
    cl_platform_id    platform;
    cl_device_id      device;
    sepcl_device_info info;
    cl_int            type_error; /* of the question for its type, without whose answer a device is of no use */
    int               lockstep;   /* work-items that run in lock step, where the driver tells; else 0 */
    int               n_lanes;    /* threads of a team on this CPU; 0: no team */
    cl_device_id      lane;       /* the device for a team */
    char              selector[24];
    char             *text[7]; /* the strings of info, to be freed */
} device_record;

/* Fills a record, whatever the driver answers; false when memory is out. */
bool   device_describe(cl_platform_id platform, cl_device_id device, device_record *r);
void   device_forget(device_record *r);
status devices_record(int index, const device_record **out);
/* The search behind devices_find: no environment, no driver. */
status device_select(const sepcl_device_info *infos, int n, const char *selector, int *index_out);

/* Facts and guesses for planning; lockstep 0: guessed from the vendor's name. */
void caps_from_info(const sepcl_device_info *info, int lockstep, caps *out);
/* Speeds that devices_measure found in this process, for later plans. */
void devices_set_speed(int index, const sepcl_device_speed *speed);

/* ---------------------------------------------------------------- lanes.c */

/* Makes the platform's driver offer the CPU as a one-threaded device as well, before it is first asked for devices; how
   many threads shall use it, 0 when it will not be there. */
int lanes_ask(cl_platform_id platform);
/* Whether a device is that one. */
bool lanes_is(cl_device_id device);

/* ---------------------------------------------------------------- team.c */

#define MAX_LANES 64

/* What runs between two barriers. */
typedef struct team_command {
    clx_kernel *kernel;
    size_t      global[3], local[3];
    int         split; /* dimension that is dealt out among the lanes */
    clx_event  *event; /* to be filled with times; or NULL */
} team_command;

/* The commands of a context that have not run yet. */
typedef struct team_queue {
    team_command *commands;
    int           n, room;
    int           failed; /* number of the launch in the last run that failed; -1 */
} team_queue;

/* Memory that buffers of a team share; the last one frees it. */
typedef struct team_memory {
    char *base;
    int   users;
} team_memory;

/* ---------------------------------------------------------------- context.c */

/* A program whose binary is stored when the device is closed. */
typedef struct late_store {
    struct late_store *next;
    char              *folder;
    cl_program         program; /* one reference */
    hash128            key;
    char               file[64];
} late_store;

struct clx {
    cl_device_id     device;  /* of a team: the one whose kernels run in the thread that enqueues them */
    cl_context       context; /* one reference of ours, borrowed or not */
    cl_command_queue queue;   /* the same as queues[0] */
    int              n_lanes; /* of a team; 0: no team */
    bool             joined;  /* its threads are there */
    cl_command_queue queues[MAX_LANES];
    team_queue       team;
    team_memory     *slab; /* where small buffers come from, and how much of it is taken */
    size_t           slab_taken;
    bool             profile;
    bool             host_memory;   /* buffers are best kept in memory that the host reaches */
    bool             simulator;     /* Oclgrind, which needs care here and there */
    bool             slow_binaries; /* the driver compiles once more for a binary */
    late_store      *late;
    caps             caps;
    hash128          identity; /* of device, driver, platform and library: part of every cache key */
};

/* A sub-buffer is made from the root buffer, since OpenCL allows no sub-buffer of a sub-buffer. */
struct clx_buffer {
    cl_mem mem, root; /* root: NULL unless this is a sub-buffer */
    size_t origin;    /* in root */
    size_t bytes;
    /* of a team: host memory; memory NULL: it is not ours. Each lane has an object of its own over it, made when it
       becomes an argument, since drivers make launches wait for each other that share one. */
    char        *host;
    team_memory *memory;
    cl_mem      *mems;
    int          n_mems;
    /* a mapping through a copy, where the host does not reach the buffer; copy NULL: none now */
    void  *copy;
    size_t copy_at, copy_bytes;
    bool   copy_back;
};

struct clx_program {
    cl_program program;
    hash128    key;
};

struct clx_kernel {
    cl_kernel *kernels; /* by lane; without a team there is one */
    int        n_kernels;
    bool       warm; /* has run, so it is compiled */
    char       name[64];
};

/* Of a team. Elsewhere a clx_event is the cl_event itself: a run must not allocate. */
struct clx_event {
    uint64_t queued, start, end;
};

/* True when queued <= start <= end and none is 0. */
bool event_times_make_sense(uint64_t queued, uint64_t start, uint64_t end);

/* ---------------------------------------------------------------- cache.c */

/* A stored binary in malloc'd memory, checked against key; false when there is none or it is not to be trusted (an info
   line says why). */
bool cache_load(const char *folder, const hash128 *key, void **data, size_t *size);
/* SEPCL_OK, or the reason in the sentence. */
status cache_store(const char *folder, const hash128 *key, const void *data, size_t size);
/* Removes an entry that turned out useless. */
void cache_drop(const char *folder, const hash128 *key);
/* Removes the entries that were not used for longest when the folder holds more than limit bytes. */
void cache_trim(const char *folder, uint64_t limit);

/* ---------------------------------------------------------------- program.c */

/* Stores what clx_programs_save left for later. */
void programs_store_late(clx *x);

/* ---------------------------------------------------------------- source.c */

/* The lines of a compiler's log that say what is wrong, joined and shortened to room. */
const char *log_gist(const char *log, char *buffer, size_t room);

#endif
