/* SPDX-License-Identifier: Apache-2.0 */
/*
 * soak SECONDS [MODEL [INPUT=1x3x48x192 ...]] ...: networks in turn, small ones of soak_nets.c and the given files, each in
 * every way to use a session; models and sessions come and go. Each answer is, bit by bit, that of the first such run. After
 * a warm-up in which all has been done several times the process must not grow: resident memory by less than 1 MB, file
 * descriptors, OpenCL objects and what sepcl has allocated not at all.
 *
 * --plant memory|mapping|descriptor leaves something behind in every turn, of one network: then this has to fail, which is
 * what fault.soak_finds_* test.
 */
#include <malloc.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>

#include "base/hash.h"
#include "figures.h"
#include "level.h"
#include "soak_nets.h"

#define MOST_NETS 64
#define WARM_CYCLES 3 /* at least: programs are built and stored in the first one, and found in the second one */
#define MOST_GROWTH (1L << 20)
#define PLANTED (64 << 10)

/* ---------------------------------------------------------------- networks and ways to run them */

typedef enum way { WAY_PLAIN, WAY_PROFILE, WAY_HALF, WAY_UNFUSED, WAY_BOUND, WAY_BATCH, WAY_TWO, WAY_MEMORY, WAYS } way;
static const char *const way_names[WAYS] = {"plain", "with times", "f16", "unfused", "bound inputs", "batch of 2",
                                            "two sessions", "from memory"};

typedef struct network {
    const char       *name;
    char              path[700];
    sepcl_input_shape shapes[4];
    int               n_shapes;
    bool              generated; /* any batch will do */
    hash128           answers[WAYS];
    bool              known[WAYS];
} network;

static network networks[MOST_NETS];
static int     n_networks;
static long    runs;
static char    plant; /* e: memory, a: mapping, d: descriptor */

static void need(bool ok, const network *n, way w, const char *what)
{
    if (ok)
        return;
    print_error("soak: %s, %s, run %ld: %s: %s\n", n->name, way_names[w], runs, what, sepcl_last_error());
    exit(1);
}
#define NEED(call) need((call) == SEPCL_OK, n, w, #call)

static size_t count_of(const sepcl_shape *s)
{
    size_t count = 1;
    for (int i = 0; i < s->rank; i++)
        count *= (size_t)s->dims[i];
    return count;
}

static float *input_of(const network *n, way w, sepcl_session *s, int index, size_t *bytes)
{
    sepcl_shape shape;
    NEED(sepcl_session_input_shape(s, index, &shape));
    const size_t count = count_of(&shape);
    float       *data = malloc(count * sizeof *data);
    need(data != NULL, n, w, "memory");
    for (size_t i = 0; i < count; i++)
        data[i] = (float)((i + 5) * 2654435761u % 1999) / 1000 - 1;
    *bytes = count * sizeof *data;
    return data;
}

static void add_answer(const network *n, way w, sepcl_session *s, int index, hasher *h)
{
    sepcl_shape shape;
    NEED(sepcl_session_output_shape(s, index, &shape));
    const size_t bytes = count_of(&shape) * sizeof(float);
    float       *data = malloc(bytes);
    need(data != NULL, n, w, "memory");
    NEED(sepcl_session_read(s, index, data, bytes));
    hash_bytes(h, data, bytes);
    free(data);
}

static void run(network *n, way w, const sepcl_model *m, sepcl_session *s)
{
    float *inputs[8] = {0};
    size_t bytes;
    hasher h;
    need(sepcl_model_input_count(m) <= 8, n, w, "more than 8 inputs");
    for (int i = 0; i < sepcl_model_input_count(m); i++) {
        inputs[i] = input_of(n, w, s, i, &bytes);
        NEED((w == WAY_BOUND ? sepcl_session_bind : sepcl_session_write)(s, i, inputs[i], bytes));
    }
    for (int i = 0; i < 2; i++)
        NEED(sepcl_session_run(s));
    hash_begin(&h);
    for (int i = 0; i < sepcl_model_output_count(m); i++)
        add_answer(n, w, s, i, &h);
    const hash128 answer = hash_end(&h);
    if (!n->known[w])
        n->answers[w] = answer;
    n->known[w] = true;
    need(memcmp(answer.byte, n->answers[w].byte, sizeof answer.byte) == 0, n, w,
         "the answer is not that of the first run");
    for (int i = 0; w == WAY_BOUND && i < sepcl_model_input_count(m); i++)
        NEED(sepcl_session_bind(s, i, NULL, 0));
    for (int i = 0; i < sepcl_model_input_count(m); i++)
        free(inputs[i]);
    runs += 2;
}

static void two_sessions(network *n, way w, const sepcl_model *m, const sepcl_session_desc *d)
{
    sepcl_session *a, *b;
    NEED(sepcl_session_create(m, d, &a));
    NEED(sepcl_session_create(m, d, &b));
    run(n, w, m, b);
    run(n, w, m, a);
    sepcl_session_destroy(a);
    run(n, w, m, b);
    sepcl_session_destroy(b);
}

static void leave_something(void)
{
    static void *volatile left;
    if (plant == 'e') {
        left = strdup("memory that nobody frees"); /* sepcl's own functions leave as little */
    } else if (plant == 'a') { /* pages that no allocator knows */
        left = mmap(NULL, PLANTED, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (left != MAP_FAILED)
            memset(left, 1, PLANTED);
    } else if (plant == 'd') {
        assert_true(dup(0) >= 0);
    }
}

/* What fails must leave nothing either. */
static void failures(const network *n, way w, const sepcl_model *m)
{
    sepcl_model   *none;
    sepcl_session *s;
    need(sepcl_model_load("no such file", NULL, &none) == SEPCL_BAD_FILE, n, w, "a missing file");
    need(sepcl_model_load_memory("no model", 8, NULL, &none) != SEPCL_OK, n, w, "bytes that are no model");
    const sepcl_session_desc d = {.device = "no such device", .shapes = n->shapes, .n_shapes = n->n_shapes};
    need(sepcl_session_create(m, &d, &s) == SEPCL_DEVICE_ERROR, n, w, "a missing device");
}

static void turn(network *n, way w)
{
    sepcl_model       *m;
    sepcl_session     *s;
    void              *file = NULL;
    size_t             size;
    sepcl_input_shape  batch = {.name = "v0"};
    sepcl_session_desc d = {.device = getenv("SEPCL_TEST_DEVICE"), .shapes = n->shapes, .n_shapes = n->n_shapes,
                            .precision = w == WAY_HALF ? SEPCL_F16 : SEPCL_F32, .profile = w == WAY_PROFILE,
                            .no_fusion = w == WAY_UNFUSED};
    if (w == WAY_MEMORY) {
        need(file_read(n->path, 1u << 30, &file, &size) == SEPCL_OK, n, w, "reading the file");
        NEED(sepcl_model_load_memory(file, size, NULL, &m));
    } else {
        NEED(sepcl_model_load(n->path, NULL, &m));
    }
    if (w == WAY_BATCH) {
        NEED(sepcl_model_input_shape(m, 0, &batch.shape));
        batch.shape.dims[0] = 2;
        d.shapes = &batch;
        d.n_shapes = 1;
    }
    if (w == WAY_TWO) {
        two_sessions(n, w, m, &d);
    } else {
        NEED(sepcl_session_create(m, &d, &s));
        run(n, w, m, s);
        sepcl_session_destroy(s);
    }
    failures(n, w, m);
    sepcl_model_destroy(m);
    free(file);
    leave_something();
}

static void cycle(void)
{
    for (int i = 0; i < n_networks; i++)
        for (int w = 0; w < WAYS; w++)
            if (w != WAY_BATCH || networks[i].generated)
                turn(&networks[i], (way)w);
}

/* ---------------------------------------------------------------- what the process holds */

static long resident_bytes(void)
{
    long  pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    (void)malloc_trim(0);
    if (!f || fscanf(f, "%*d %ld", &pages) != 1)
        test_fail("no /proc/self/statm\n");
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

static int compare(const level *before, long resident_before, const level *now, long resident)
{
    int grown = 0;
#define SAY(...) (grown++, print_error("soak: " __VA_ARGS__))
    for (int o = 0; o < FAULT_OBJECTS; o++)
        if (now->objects[o] != before->objects[o])
            SAY("OpenCL objects grew: %ld of type %s\n", now->objects[o] - before->objects[o],
                fault_object_name((fault_object)o));
    if (now->blocks != before->blocks || now->bytes != before->bytes)
        SAY("allocated memory grew: %ld blocks of %ld bytes\n", now->blocks - before->blocks, now->bytes - before->bytes);
    if (now->files != before->files)
        SAY("file descriptors grew: %d, %d before\n", now->files, before->files);
    if (resident - resident_before >= MOST_GROWTH)
        SAY("resident memory grew: by %ld KB, from %ld KB\n", (resident - resident_before) >> 10, resident_before >> 10);
#undef SAY
    return grown;
}

/* ---------------------------------------------------------------- the program */

static network *add_network(const char *name, const char *path)
{
    network *n = &networks[n_networks];
    if (n_networks == MOST_NETS)
        test_fail("more than %d networks\n", MOST_NETS);
    n->name = name;
    snprintf(n->path, sizeof n->path, "%s", path);
    n_networks++;
    return n;
}

static void generate(void)
{
    char path[700];
    for (const soak_net *s = soak_nets; s->name && (!plant || n_networks == 0); s++) {
        unsigned char *file;
        const size_t   size = s->make(&file);
        snprintf(path, sizeof path, "%s/%d.onnx", work_scratch(), n_networks);
        assert_ok(file_write(path, file, size, 0600));
        free(file);
        add_network(s->name, path)->generated = true;
    }
}

/* "NAME=1x3x48x192" for the network given last; false when it is not that. */
static bool take_shape(char *text)
{
    char *equals = strchr(text, '='), *at = equals ? equals + 1 : NULL;
    if (!equals || n_networks == 0 || networks[n_networks - 1].generated)
        return false;
    network *n = &networks[n_networks - 1];
    if (n->n_shapes == 4)
        return false;
    sepcl_input_shape *s = &n->shapes[n->n_shapes++];
    *equals = 0;
    s->name = text;
    while (s->shape.rank < SEPCL_MAX_RANK && *at) {
        s->shape.dims[s->shape.rank++] = strtol(at, &at, 10);
        if (*at == 'x')
            at++;
        else if (*at)
            return false;
    }
    return s->shape.rank > 0 && !*at;
}

static double take_options(int argc, char **argv)
{
    char  *end = NULL;
    double seconds = argc > 1 ? strtod(argv[1], &end) : 0;
    if (!end || *end || !(seconds > 0)) {
        fprintf(stderr, "usage: soak SECONDS [--plant WHAT] [MODEL [INPUT=1x3x48x192 ...]] ...\n");
        exit(2);
    }
    if (argc > 3 && strcmp(argv[2], "--plant") == 0)
        plant = argv[3][0] == 'm' ? argv[3][1] : argv[3][0];
    return seconds;
}

static void take_networks(int argc, char **argv)
{
    for (int i = plant ? 4 : 2; i < argc; i++)
        if (!take_shape(argv[i]))
            add_network(argv[i], argv[i]);
}

static double now_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* A line a minute. */
static void tell(double start, long growth)
{
    static int told;
    const int  minutes = (int)((now_seconds() - start) / 60);
    if (minutes > told)
        printf("soak: %d min, %ld inferences, resident memory %+ld KB\n", minutes, runs, growth / 1024);
    told = minutes;
    fflush(stdout);
}

int main(int argc, char **argv)
{
    /* Without these, what the allocator keeps for threads that ended is megabytes, another number each time: a leak of a
       megabyte would not be seen beside it. With them resident memory stays within 100 KB. */
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 256 << 10);
    /* Buffers ask for huge pages. What was one and is free, the kernel may fill with pages again whenever it likes, up to
       2 MB that no one holds. */
    assert_true(prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) == 0);
    work_begin(1, argv);
    const double seconds = take_options(argc, argv), start = now_seconds();
    generate();
    take_networks(argc, argv);
    int          cycles = 0;
    for (; cycles < WARM_CYCLES || now_seconds() - start < seconds / 5; cycles++)
        cycle();
    const level before = level_now();
    const long  resident_before = resident_bytes(), warm_runs = runs;
    long        resident = resident_before;
    int         grown = 0;
    do {
        cycle();
        cycles++;
        resident = resident_bytes();
        const level now = level_now();
        grown = compare(&before, resident_before, &now, resident);
        tell(start, resident - resident_before);
    } while (!grown && now_seconds() - start < seconds);
    const double minutes = (now_seconds() - start) / 60;
    work_end();
    if (grown)
        return 1;
    printf("soak: %d networks, %d cycles, %ld inferences, %ld of them after the warm-up\n", n_networks, cycles, runs,
           runs - warm_runs);
    if (!plant)
        figure("soak", "growth < 1 MB; descriptors, objects, allocations constant",
               "Sessions coming and going: resident memory after the warm-up | %.0f min, %ld inferences: %+ld KB of %ld MB",
               minutes, runs, (resident - resident_before) / 1024, resident_before >> 20);
    return 0;
}
