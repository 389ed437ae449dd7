/* SPDX-License-Identifier: Apache-2.0 */
/* Lanes, the barrier between launches, and how a launch is dealt out. */
#include "cl/team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/size.h"

/* Sooner is worse where other processes are busy: a lane that yields loses its whole slice, at every launch. MobileNetV2
   beside two busy processes: 2.1 ms with 20000, 132 ms with 300. */
#define SPINS_BEFORE_YIELD 20000     /* about half a millisecond: the core may be wanted by somebody else */
#define NAP_NS 50000                 /* of lanes while one compiles, which takes tens of milliseconds */
#define AWAKE_NS ((uint64_t)1000000) /* how long a lane spins for the next run before it sleeps */
/* Lanes enter the driver one after the other: it finds a kernel under a lock, and who has to wait for that sleeps. */
#define APART_NS 1200
#define MOST_APART_NS 4800
#define LANE_STACK ((size_t)8 << 20) /* drivers compile in the thread that enqueues first */

/* One in the process, since the devices that the lanes are belong to the process. */
static struct {
    pthread_mutex_t owner; /* held for a run, and to change what follows */
    int             lanes, users;
    pthread_t       threads[MAX_LANES];
    clx            *job;  /* whose commands run */
    atomic_uint     runs; /* started so far; a change is the signal to start */
    atomic_bool     leaving;
    atomic_uint     arrived, passed; /* the barrier: lanes that have come, barriers passed */
    atomic_int      failed;          /* a cl_int: the first error */
    atomic_int      failed_at;
    pthread_mutex_t lock; /* of sleeping lanes */
    pthread_cond_t  signal;
    atomic_int      asleep;
} team = {.owner = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER, .signal = PTHREAD_COND_INITIALIZER};

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void pause_core(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* ---------------------------------------------------------------- barrier */

static void give_way(void)
{
    sched_yield();
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

/* rest: what lanes do that wait for long. */
static void barrier(int lanes, void (*rest)(void))
{
    const unsigned before = atomic_load(&team.passed);
    if (atomic_fetch_add(&team.arrived, 1) + 1 == (unsigned)lanes) {
        atomic_store(&team.arrived, 0);
        atomic_store(&team.passed, before + 1);
        return;
    }
    for (int spins = 0; atomic_load_explicit(&team.passed, memory_order_acquire) == before; spins++) {
        if (spins < SPINS_BEFORE_YIELD)
            pause_core();
        else
            rest();
    }
}

/* ---------------------------------------------------------------- a lane's part */

static void note_failure(cl_int e, int command)
{
    int none = CL_SUCCESS;
    if (atomic_compare_exchange_strong(&team.failed, &none, e))
        atomic_store(&team.failed_at, command);
}

static void stay_apart(int lane)
{
    const int64_t  wanted = (int64_t)lane * APART_NS;
    const uint64_t until = now_ns() + (uint64_t)(wanted < MOST_APART_NS ? wanted : MOST_APART_NS);
    while (lane > 0 && now_ns() < until)
        pause_core();
}

/* PoCL makes a variant of a kernel for launches that begin at 0 and another for the rest, and mixes them up when both
   are in use. With an offset in the third dimension all lanes use the same (LANE_BASE in common.cl). */
static void run_groups(const clx *x, const team_command *c, int at, int lane, size_t first, size_t n)
{
    size_t offset[3] = {0, 0, c->local[2]}, global[3];
    if (n == 0)
        return;
    memcpy(global, c->global, sizeof global);
    offset[c->split] += first * c->local[c->split];
    global[c->split] = n * c->local[c->split];
    cl_int e =
        clEnqueueNDRangeKernel(x->queues[lane], c->kernel->kernels[lane], 3, offset, global, c->local, 0, NULL, NULL);
    if (e == CL_SUCCESS)
        e = clFinish(x->queues[lane]);
    if (e != CL_SUCCESS)
        note_failure(e, at);
}

/* All lanes take as many groups, and the first ones then one of those that are left. PoCL 3.1 keeps 128 kernels loaded,
   each for grids as wide as the one it was loaded for; when two lanes load a kernel at once for grids of different widths,
   as it was not there or no more, it counts both uses as one's, and an assertion ends the process. */
static void run_part(const clx *x, const team_command *c, int at, int lane)
{
    const size_t groups = c->global[c->split] / c->local[c->split], lanes = (size_t)x->n_lanes, each = groups / lanes;
    const size_t left = (size_t)lane < groups - lanes * each;
    if (each + left == 0)
        return;
    stay_apart(lane);
    run_groups(x, c, at, lane, (size_t)lane * each, each);
    run_groups(x, c, at, lane, lanes * each + (size_t)lane, left);
}

/* A kernel that never ran may have to be compiled, by one lane for all. */
static void run_in_turn(const clx *x, const team_command *c, int at, int lane)
{
    for (int l = 0; l < x->n_lanes; l++) {
        if (l == lane)
            run_part(x, c, at, lane);
        barrier(x->n_lanes, nap);
    }
}

static void run_commands(clx *x, int lane)
{
    const int n = x->team.n; /* behind the last barrier x belongs to lane 0 alone, and may be gone */
    uint64_t  start = 0;
    for (int i = 0; i < n; i++) {
        const team_command *c = &x->team.commands[i];
        const bool          fresh = !c->kernel->warm; /* set by lane 0 behind the last barrier of a run */
        if (lane == 0 && c->event)
            start = now_ns();
        if (fresh)
            run_in_turn(x, c, i, lane);
        else
            run_part(x, c, i, lane);
        barrier(x->n_lanes, give_way);
        if (lane == 0 && c->event) {
            c->event->start = start;
            c->event->end = now_ns();
        }
    }
}

/* ---------------------------------------------------------------- lanes 1 ... */

/* Waits for a run other than `seen`. */
static void wait_for_run(unsigned seen)
{
    const uint64_t until = now_ns() + AWAKE_NS;
    for (int spins = 1; atomic_load(&team.runs) == seen && !atomic_load(&team.leaving); spins++) {
        pause_core();
        if (spins % 64)
            continue;
        if (spins > SPINS_BEFORE_YIELD)
            sched_yield();
        if (now_ns() < until)
            continue;
        pthread_mutex_lock(&team.lock);
        atomic_fetch_add(&team.asleep, 1);
        while (atomic_load(&team.runs) == seen && !atomic_load(&team.leaving) && atomic_load(&team.asleep) > 0)
            pthread_cond_wait(&team.signal, &team.lock);
        pthread_mutex_unlock(&team.lock);
        return; /* awake, though maybe with no run yet: the caller comes back */
    }
}

static void *lane_thread(void *arg)
{
    const int lane = (int)(intptr_t)arg;
    unsigned  seen = 0; /* so are the runs when lanes start */
    while (!atomic_load(&team.leaving)) {
        const unsigned runs = atomic_load(&team.runs);
        if (runs == seen) {
            wait_for_run(seen);
            continue;
        }
        seen = runs;
        run_commands(team.job, lane);
    }
    return NULL;
}

void team_wake(void)
{
    if (atomic_load(&team.asleep) == 0)
        return;
    pthread_mutex_lock(&team.lock);
    atomic_store(&team.asleep, 0);
    pthread_cond_broadcast(&team.signal);
    pthread_mutex_unlock(&team.lock);
}

/* Ends the other lanes; the owner lock is held. */
static void end_lanes(int made)
{
    pthread_mutex_lock(&team.lock);
    atomic_store(&team.leaving, true);
    pthread_cond_broadcast(&team.signal);
    pthread_mutex_unlock(&team.lock);
    for (int i = 1; i <= made; i++)
        pthread_join(team.threads[i], NULL);
    atomic_store(&team.leaving, false);
    atomic_store(&team.runs, 0);
    atomic_store(&team.asleep, 0);
    team.lanes = 0;
}

static status start_lanes(int lanes)
{
    pthread_attr_t attr;
    int            made = 0, e = pthread_attr_init(&attr);
    if (e == 0) {
        (void)pthread_attr_setstacksize(&attr, LANE_STACK);
        while (made < lanes - 1 &&
               (e = pthread_create(&team.threads[made + 1], &attr, lane_thread, (void *)(intptr_t)(made + 1))) == 0)
            made++;
        pthread_attr_destroy(&attr);
    }
    team.lanes = lanes;
    if (e == 0)
        return SEPCL_OK;
    end_lanes(made);
    return fail(SEPCL_OUT_OF_MEMORY, "thread %d of %d that the CPU has cores for: %s", made + 1, lanes, strerror(e));
}

status team_join(int lanes)
{
    pthread_mutex_lock(&team.owner);
    const status s = team.users == 0 ? start_lanes(lanes) : SEPCL_OK;
    team.users += s == SEPCL_OK;
    pthread_mutex_unlock(&team.owner);
    return s;
}

void team_leave(void)
{
    pthread_mutex_lock(&team.owner);
    if (--team.users == 0)
        end_lanes(team.lanes - 1);
    pthread_mutex_unlock(&team.owner);
}

/* ---------------------------------------------------------------- the queue */

/* The dimension in which the lanes' parts are most equal; among equals the outermost, whose parts lie apart. */
static int best_split(const size_t *global, const size_t *local, int lanes)
{
    double best = 0;
    int    split = 0;
    for (int d = 2; d >= 0; d--) {
        const size_t groups = global[d] / local[d], most = (groups + (size_t)lanes - 1) / (size_t)lanes;
        const double even = most ? (double)groups / ((double)most * lanes) : 0;
        if (even > best + 1e-6) {
            best = even;
            split = d;
        }
    }
    return split;
}

status team_enqueue(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local, clx_event *event)
{
    team_queue *q = &x->team;
    if (q->n == q->room) {
        const int     room = q->room ? 2 * q->room : 64;
        team_command *more = realloc(q->commands, (size_t)room * sizeof *more);
        if (!more)
            return fail_memory((size_t)room * sizeof *more, "a queue of launches");
        q->commands = more;
        q->room = room;
    }
    team_command *c = &q->commands[q->n];
    *c = (team_command){.kernel = k, .global = {1, 1, 1}, .local = {1, 1, 1}, .event = event};
    for (int d = 0; d < dims; d++) {
        c->global[d] = global[d];
        c->local[d] = local ? local[d] : 1;
        if (c->local[d] == 0 || c->global[d] == 0 || c->global[d] % c->local[d] != 0)
            return cl_fail(CL_INVALID_WORK_GROUP_SIZE, "kernel %s over %zu in dimension %d, work-group %zu", k->name,
                           global[d], d, c->local[d]);
    }
    c->split = best_split(c->global, c->local, x->n_lanes);
    if (event)
        event->queued = now_ns();
    q->n++;
    return SEPCL_OK;
}

status team_run(clx *x)
{
    if (x->team.n == 0)
        return SEPCL_OK;
    pthread_mutex_lock(&team.owner);
    team.job = x;
    atomic_store(&team.failed, CL_SUCCESS);
    if (x->n_lanes > 1) {
        team_wake();
        atomic_fetch_add(&team.runs, 1);
        team_wake(); /* those that fell asleep in between */
    }
    run_commands(x, 0);
    const cl_int e = atomic_load(&team.failed);
    const int    at = atomic_load(&team.failed_at);
    for (int i = 0; i < x->team.n && e == CL_SUCCESS; i++)
        x->team.commands[i].kernel->warm = true;
    const clx_kernel *k = x->team.commands[at >= 0 && at < x->team.n ? at : 0].kernel;
    x->team.failed = e == CL_SUCCESS ? -1 : at;
    x->team.n = 0;
    pthread_mutex_unlock(&team.owner);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "kernel %s on %s", k->name, x->caps.name);
}
