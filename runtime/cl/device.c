/* SPDX-License-Identifier: Apache-2.0 */
/* Every device of every platform, asked once. A driver that does not know a question gets the default of its answer. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "cl/internal.h"

#define MAX_PLATFORMS 64
#define MAX_DEVICES 256     /* of one platform */
#define MAX_TEXT (1u << 20) /* an extension list is some kilobytes */
#define DEVICE_WARP_SIZE_NV 0x4003
#define DEVICE_WAVEFRONT_WIDTH_AMD 0x4043

/* What kept devices from being listed or used; "" when nothing did. Written while they are enumerated. */
static char trouble[160];

static void note_trouble(const char *what, cl_int e)
{
    snprintf(trouble, sizeof trouble, "%s: %s", what, cl_error_name(e));
}

/* ---------------------------------------------------------------- questions */

static char *trimmed(char *text)
{
    size_t n = strlen(text), skip = strspn(text, " \t\r\n");
    while (n > skip && strchr(" \t\r\n", text[n - 1]))
        n--;
    memmove(text, text + skip, n - skip);
    text[n - skip] = 0;
    return text;
}

/* A text answer, "" when there is none; NULL only when memory is out. */
static char *ask_text(cl_device_id d, cl_platform_id p, cl_uint what)
{
    size_t size = 0;
    cl_int e = d ? clGetDeviceInfo(d, what, 0, NULL, &size) : clGetPlatformInfo(p, what, 0, NULL, &size);
    if (e != CL_SUCCESS || size > MAX_TEXT)
        size = 0;
    char *text = calloc(1, size + 1);
    if (!text || size == 0)
        return text;
    e = d ? clGetDeviceInfo(d, what, size, text, NULL) : clGetPlatformInfo(p, what, size, text, NULL);
    if (e != CL_SUCCESS)
        text[0] = 0;
    return trimmed(text);
}

static cl_ulong ask_ulong(cl_device_id d, cl_device_info what, cl_ulong otherwise)
{
    cl_ulong v = 0;
    return clGetDeviceInfo(d, what, sizeof v, &v, NULL) == CL_SUCCESS ? v : otherwise;
}

static cl_uint ask_uint(cl_device_id d, cl_device_info what, cl_uint otherwise)
{
    cl_uint v = 0;
    return clGetDeviceInfo(d, what, sizeof v, &v, NULL) == CL_SUCCESS ? v : otherwise;
}

static size_t ask_size(cl_device_id d, cl_device_info what, size_t otherwise)
{
    size_t v = 0;
    return clGetDeviceInfo(d, what, sizeof v, &v, NULL) == CL_SUCCESS ? v : otherwise;
}

static bool ask_bool(cl_device_id d, cl_device_info what, bool otherwise)
{
    cl_bool v = CL_FALSE;
    return clGetDeviceInfo(d, what, sizeof v, &v, NULL) == CL_SUCCESS ? v != CL_FALSE : otherwise;
}

static bool has_word(const char *list, const char *word)
{
    const size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)); p += n) {
        if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
            return true;
    }
    return false;
}

/* ---------------------------------------------------------------- one device */

static sepcl_device_type device_type(cl_device_id d, cl_int *error)
{
    cl_ulong t = 0;
    *error = clGetDeviceInfo(d, CL_DEVICE_TYPE, sizeof t, &t, NULL);
    /* a simulator may set several bits: it is worth most when it runs what a GPU would */
    if (t & CL_DEVICE_TYPE_GPU)
        return SEPCL_DEVICE_GPU;
    if (t & CL_DEVICE_TYPE_CPU)
        return SEPCL_DEVICE_CPU;
    if (t & CL_DEVICE_TYPE_ACCELERATOR)
        return SEPCL_DEVICE_ACCELERATOR;
    return SEPCL_DEVICE_OTHER;
}

static bool describe_texts(device_record *r)
{
    sepcl_device_info *info = &r->info;
    const struct {
        const char **to;
        bool         of_platform;
        cl_uint      what;
    } questions[] = {
        {&info->name, false, CL_DEVICE_NAME},
        {&info->vendor, false, CL_DEVICE_VENDOR},
        {&info->platform, true, CL_PLATFORM_NAME},
        {&info->driver_version, false, CL_DRIVER_VERSION},
        {&info->device_version, false, CL_DEVICE_VERSION},
        {&info->c_version, false, CL_DEVICE_OPENCL_C_VERSION},
        {&info->platform_version, true, CL_PLATFORM_VERSION},
    };
    bool ok = true;
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        r->text[i] = ask_text(questions[i].of_platform ? NULL : r->device, r->platform, questions[i].what);
        *questions[i].to = r->text[i] ? r->text[i] : "";
        ok = ok && r->text[i];
    }
    return ok;
}

static bool describe_extensions(device_record *r)
{
    sepcl_device_info *info = &r->info;
    char              *list = ask_text(r->device, NULL, CL_DEVICE_EXTENSIONS);
    if (!list)
        return false;
    info->fp16 = has_word(list, "cl_khr_fp16");
    info->fp64 = has_word(list, "cl_khr_fp64") || ask_ulong(r->device, CL_DEVICE_DOUBLE_FP_CONFIG, 0) != 0;
    info->subgroups = has_word(list, "cl_khr_subgroups") || has_word(list, "cl_intel_subgroups") ||
                      ask_uint(r->device, CL_DEVICE_MAX_NUM_SUB_GROUPS, 0) > 0;
    info->integer_dot = has_word(list, "cl_khr_integer_dot_product");
    info->command_buffer = has_word(list, "cl_khr_command_buffer");
    free(list);
    return true;
}

static void describe_limits(device_record *r)
{
    sepcl_device_info *info = &r->info;
    const cl_device_id d = r->device;
    size_t             items[16] = {0};
    info->compute_units = ask_uint(d, CL_DEVICE_MAX_COMPUTE_UNITS, 1);
    info->clock_mhz = ask_uint(d, CL_DEVICE_MAX_CLOCK_FREQUENCY, 0);
    info->max_work_group = ask_size(d, CL_DEVICE_MAX_WORK_GROUP_SIZE, 1);
    if (clGetDeviceInfo(d, CL_DEVICE_MAX_WORK_ITEM_SIZES, sizeof items, items, NULL) != CL_SUCCESS)
        items[0] = info->max_work_group;
    for (int i = 0; i < 3; i++)
        info->max_work_item[i] = items[i] > 0 ? items[i] : 1;
    info->local_bytes = ask_ulong(d, CL_DEVICE_LOCAL_MEM_SIZE, 0);
    info->local_is_real = ask_uint(d, CL_DEVICE_LOCAL_MEM_TYPE, CL_GLOBAL) == CL_LOCAL;
    info->global_bytes = ask_ulong(d, CL_DEVICE_GLOBAL_MEM_SIZE, 0);
    info->max_alloc_bytes = ask_ulong(d, CL_DEVICE_MAX_MEM_ALLOC_SIZE, info->global_bytes / 4);
    info->constant_bytes = ask_ulong(d, CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, 0);
    info->cache_bytes = ask_ulong(d, CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, 0);
    info->cache_line_bytes = ask_uint(d, CL_DEVICE_GLOBAL_MEM_CACHELINE_SIZE, 0);
    info->align_bytes = ask_uint(d, CL_DEVICE_MEM_BASE_ADDR_ALIGN, 1024) / 8;
    info->vector_width_f32 = ask_uint(d, CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, 1);
    info->native_vector_width_f32 = ask_uint(d, CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, 1);
    info->vector_width_f16 = ask_uint(d, CL_DEVICE_PREFERRED_VECTOR_WIDTH_HALF, 0);
}

/* How many work-items run in lock step: two vendors' own questions, then the one of OpenCL 3.0. */
static int describe_lockstep(cl_device_id d)
{
    cl_uint n = ask_uint(d, DEVICE_WARP_SIZE_NV, 0);
    if (n == 0)
        n = ask_uint(d, DEVICE_WAVEFRONT_WIDTH_AMD, 0);
    if (n == 0)
        n = (cl_uint)ask_size(d, CL_DEVICE_PREFERRED_WORK_GROUP_SIZE_MULTIPLE, 0);
    return n <= 1024 ? (int)n : 0;
}

/* Kernels are written in OpenCL C 1.2. A version that cannot be read is taken for enough. */
static bool speaks_enough(const char *c_version)
{
    int major, minor;
    return sscanf(c_version, "OpenCL C %d.%d", &major, &minor) != 2 || major > 1 || (major == 1 && minor >= 2);
}

bool device_describe(cl_platform_id platform, cl_device_id device, device_record *r)
{
    memset(r, 0, sizeof *r);
    r->platform = platform;
    r->device = device;
    r->info.selector = r->selector;
    if (!describe_texts(r) || !describe_extensions(r))
        return false;
    describe_limits(r);
    r->info.type = device_type(device, &r->type_error);
    r->info.unified_memory = ask_bool(device, CL_DEVICE_HOST_UNIFIED_MEMORY, r->info.type == SEPCL_DEVICE_CPU);
    r->info.images = ask_bool(device, CL_DEVICE_IMAGE_SUPPORT, false);
    r->info.available = r->info.type != SEPCL_DEVICE_OTHER && speaks_enough(r->info.c_version) &&
                        ask_bool(device, CL_DEVICE_AVAILABLE, true) &&
                        ask_bool(device, CL_DEVICE_COMPILER_AVAILABLE, true) &&
                        ask_bool(device, CL_DEVICE_ENDIAN_LITTLE, true);
    r->lockstep = describe_lockstep(device);
    return true;
}

void device_forget(device_record *r)
{
    for (size_t i = 0; i < sizeof r->text / sizeof *r->text; i++)
        free(r->text[i]);
    memset(r, 0, sizeof *r);
}

/* ---------------------------------------------------------------- all devices */

static struct {
    pthread_once_t      once;
    pthread_mutex_t     lock; /* of speed */
    device_record      *records;
    sepcl_device_info  *infos;
    sepcl_device_speed *speed; /* round_trip_us > 0: measured */
    int                 count, room;
    status              state;
    char                reason[256];
} all = {.once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER};

static status add_device(cl_platform_id platform, cl_device_id device, int p, int d)
{
    if (all.count == all.room) {
        const int      room = all.room + 16;
        device_record *more = realloc(all.records, (size_t)room * sizeof *more);
        if (!more)
            return fail_memory((size_t)room * sizeof *more, "the device list");
        all.records = more;
        all.room = room;
    }
    device_record *r = &all.records[all.count];
    if (!device_describe(platform, device, r)) {
        device_forget(r);
        return fail_memory(0, "facts of a device");
    }
    if (r->type_error != CL_SUCCESS)
        note_trouble("a device does not tell its type", r->type_error);
    snprintf(r->selector, sizeof r->selector, "%d:%d", p, d);
    all.count++;
    return SEPCL_OK;
}

/* CL_DEVICE_TYPE_ALL leaves custom devices out, so they are asked for and put behind. */
static int list_devices(cl_platform_id platform, cl_device_id *out)
{
    static const cl_device_type types[] = {CL_DEVICE_TYPE_ALL, CL_DEVICE_TYPE_CUSTOM};
    int                         n = 0;
    for (int t = 0; t < 2; t++) {
        cl_device_id found[MAX_DEVICES];
        cl_uint      count = 0;
        const cl_int e = clGetDeviceIDs(platform, types[t], MAX_DEVICES, found, &count);
        if (e != CL_SUCCESS) {
            if (t == 0)
                note_trouble("a platform lists no devices", e);
            continue;
        }
        for (cl_uint i = 0; i < count && i < MAX_DEVICES && n < MAX_DEVICES; i++) {
            bool known = false;
            for (int k = 0; k < n; k++)
                known = known || out[k] == found[i];
            if (!known)
                out[n++] = found[i];
        }
    }
    return n;
}

static status enumerate(void)
{
    cl_platform_id platforms[MAX_PLATFORMS];
    cl_uint        n = 0;
    const cl_int   e = clGetPlatformIDs(MAX_PLATFORMS, platforms, &n);
    if (e == -1001 || (e == CL_SUCCESS && n == 0)) /* no driver is installed */
        return SEPCL_OK;
    if (e != CL_SUCCESS)
        return cl_fail(e, "the list of OpenCL platforms");
    for (cl_uint p = 0; p < n && p < MAX_PLATFORMS; p++) {
        cl_device_id devices[MAX_DEVICES];
        const int    lanes = lanes_ask(platforms[p]);
        const int    count = list_devices(platforms[p], devices);
        int          shown = 0, lane = -1;
        for (int d = 0; d < count && lanes > 0; d++)
            lane = lanes_is(devices[d]) ? d : lane;
        for (int d = 0; d < count; d++) {
            if (d == lane)
                continue;
            TRY(add_device(platforms[p], devices[d], (int)p, shown++));
            device_record *r = &all.records[all.count - 1];
            if (lane >= 0 && r->info.type == SEPCL_DEVICE_CPU) {
                r->n_lanes = lanes;
                r->lane = devices[lane];
            }
        }
    }
    return SEPCL_OK;
}

static void enumerate_once(void)
{
    all.state = enumerate();
    /* the records have their final place now, so that info may point into them */
    all.infos = calloc((size_t)all.count + 1, sizeof *all.infos);
    all.speed = calloc((size_t)all.count + 1, sizeof *all.speed);
    if (all.state == SEPCL_OK && (!all.infos || !all.speed))
        all.state = fail_memory(sizeof *all.infos, "the device list");
    if (all.state != SEPCL_OK) {
        snprintf(all.reason, sizeof all.reason, "%s", error_sentence());
        return;
    }
    for (int i = 0; i < all.count; i++) {
        all.records[i].info.selector = all.records[i].selector;
        all.infos[i] = all.records[i].info;
    }
    log_info("%d OpenCL device%s found", all.count, all.count == 1 ? "" : "s");
}

static status need_devices(void)
{
    pthread_once(&all.once, enumerate_once);
    return all.state == SEPCL_OK ? SEPCL_OK : fail(all.state, "%s", all.reason);
}

status devices_count(int *count_out)
{
    *count_out = 0;
    TRY(need_devices());
    *count_out = all.count;
    return SEPCL_OK;
}

status devices_record(int index, const device_record **out)
{
    *out = NULL;
    TRY(need_devices());
    if (index < 0 || index >= all.count)
        return fail(SEPCL_INVALID, "device index %d: there are %d devices", index, all.count);
    *out = &all.records[index];
    return SEPCL_OK;
}

status devices_info(int index, sepcl_device_info *out)
{
    const device_record *r;
    memset(out, 0, sizeof *out);
    TRY(devices_record(index, &r));
    *out = r->info;
    return SEPCL_OK;
}

status devices_find(const char *selector, int *index_out)
{
    *index_out = -1;
    TRY(need_devices());
    const char  *variable = !selector || !*selector ? getenv("SEPCL_DEVICE") : NULL;
    const bool   from_variable = variable && *variable;
    const char  *text = from_variable ? variable : selector && *selector ? selector : "any";
    const status s = device_select(all.infos, all.count, text, index_out);
    if (s != SEPCL_OK && trouble[0])
        fail(s, "%s; %s", error_sentence(), trouble);
    if (s != SEPCL_OK)
        return from_variable ? fail_in(s, "SEPCL_DEVICE") : s;
    log_info("device %s (%s) for \"%s\"", all.infos[*index_out].selector, all.infos[*index_out].name, text);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- facts for planning */

status devices_caps(int index, caps *out)
{
    const device_record *r;
    memset(out, 0, sizeof *out);
    TRY(devices_record(index, &r));
    caps_from_info(&r->info, r->lockstep, out);
    pthread_mutex_lock(&all.lock);
    const sepcl_device_speed v = all.speed[index];
    pthread_mutex_unlock(&all.lock);
    if (v.round_trip_us > 0) {
        out->speed_measured = true;
        out->fma_gflops = v.fma_gflops;
        out->bandwidth_gbs = v.bandwidth_gbs;
        out->launch_us = v.launch_us;
    }
    return SEPCL_OK;
}

void devices_set_speed(int index, const sepcl_device_speed *speed)
{
    pthread_mutex_lock(&all.lock);
    all.speed[index] = *speed;
    pthread_mutex_unlock(&all.lock);
}
