/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Threads: sessions of one model side by side give, bit by bit, what one alone gives; on two devices at once; while others
 * come and go. Built with ThreadSanitizer as well (SEPCL_TSAN), with fewer inferences: --few.
 */
#include "../unit/scratch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "figures.h"
#include "workload.h"

#define THREADS 8
#define MOST_DEVICES 4

static int         inferences = 1000, sessions = 40;
static atomic_long lines;

static void count_lines(void *user, sepcl_log_level level, const char *line)
{
    (void)user;
    (void)level;
    lines += line[0] != 0;
}

typedef struct job {
    pthread_t          thread;
    const sepcl_model *model;
    const char        *device;
    int                number, runs;
    bool               profile;
    const float       *want; /* of this device, one after the other */
    atomic_bool       *go;
    /* result */
    long wrong, done;
    char why[256];
} job;

/* Inputs differ from run to run, and so do answers, of which the last one is compared. */
static void make_input(float *in, int run)
{
    for (int i = 0; i < WORK_IN; i++)
        in[i] = work_input()[i] * (float)(1 + (run + i) % 3);
}

static bool infer(sepcl_session *s, int run, float *out)
{
    float in[WORK_IN];
    make_input(in, run);
    return sepcl_session_write(s, 0, in, sizeof in) == SEPCL_OK && sepcl_session_run(s) == SEPCL_OK &&
           sepcl_session_read(s, 0, out, WORK_OUT * sizeof *out) == SEPCL_OK;
}

static bool fails_by_itself(const job *j)
{
    char  want[64];
    int   index;
    float in[1] = {0};
    snprintf(want, sizeof want, "device-%d", j->number);
    return sepcl_device_find(want, &index) == SEPCL_DEVICE_ERROR && strstr(sepcl_last_error(), want) &&
           sepcl_session_write(NULL, 0, in, sizeof in) == SEPCL_INVALID;
}

static void *run_job(void *arg)
{
    job                     *j = arg;
    sepcl_session           *s = NULL;
    float                    out[WORK_OUT];
    const sepcl_session_desc d = {.device = j->device, .profile = j->profile};
    while (!atomic_load(j->go))
        ;
    bool ok = sepcl_session_create(j->model, &d, &s) == SEPCL_OK;
    for (int i = 0; ok && i < j->runs; i++) {
        ok = infer(s, i, out);
        j->wrong += ok && memcmp(out, j->want + (i % 3) * WORK_OUT, sizeof out) != 0;
        j->done += ok;
        if (ok && i % 64 == 0)
            ok = fails_by_itself(j);
    }
    if (!ok)
        snprintf(j->why, sizeof j->why, "thread %d, run %ld: %.200s", j->number, j->done, sepcl_last_error());
    sepcl_session_destroy(s);
    return NULL;
}

/* The answers of three inputs, by one session alone. */
static void serial_answers(const sepcl_model *model, const char *device, float want[3 * WORK_OUT])
{
    sepcl_session           *s;
    const sepcl_session_desc d = {.device = device};
    if (sepcl_session_create(model, &d, &s) != SEPCL_OK)
        test_fail("%s\n", sepcl_last_error());
    for (int i = 0; i < 3; i++)
        assert_true(infer(s, i, want + i * WORK_OUT));
    sepcl_session_destroy(s);
    assert_memory_not_equal(want, want + WORK_OUT, WORK_OUT * sizeof *want);
}

static void run_all(job *jobs, int n)
{
    atomic_bool go = false;
    for (int i = 0; i < n; i++) {
        jobs[i].go = &go;
        jobs[i].number = i;
        assert_int_equal(pthread_create(&jobs[i].thread, NULL, run_job, &jobs[i]), 0);
    }
    atomic_store(&go, true);
    for (int i = 0; i < n; i++)
        assert_int_equal(pthread_join(jobs[i].thread, NULL), 0);
    for (int i = 0; i < n; i++)
        if (jobs[i].why[0] || jobs[i].wrong || jobs[i].done != jobs[i].runs)
            test_fail("%s: %ld of %ld answers differ from those of one session alone\n", jobs[i].why, jobs[i].wrong,
                      jobs[i].done);
}

static const char *test_device(void)
{
    return getenv("SEPCL_TEST_DEVICE");
}

static void many_sessions_of_one_model(void **state)
{
    float        want[3 * WORK_OUT];
    job          jobs[THREADS] = {0};
    sepcl_model *model;
    (void)state;
    assert_int_equal(sepcl_model_load(work_model(), NULL, &model), SEPCL_OK);
    serial_answers(model, test_device(), want);
    for (int i = 0; i < THREADS; i++)
        jobs[i] = (job){.model = model, .device = test_device(), .runs = inferences, .want = want, .profile = i % 4 == 0};
    run_all(jobs, THREADS);
    sepcl_model_destroy(model);
    figure("threads", "8 x 1000, bit-equal", "Sessions of one model in threads | %d x %d, bit-equal", THREADS, inferences);
}

static void sessions_come_and_go(void **state)
{
    float        want[3 * WORK_OUT];
    job          jobs[THREADS] = {0};
    sepcl_model *model;
    (void)state;
    assert_int_equal(sepcl_model_load(work_model(), NULL, &model), SEPCL_OK);
    serial_answers(model, test_device(), want);
    for (int round = 0; round < sessions; round++) {
        for (int i = 0; i < 4; i++)
            jobs[i] = (job){.model = model, .device = test_device(), .runs = 1 + (round + i) % 5, .want = want};
        run_all(jobs, 4);
    }
    sepcl_model_destroy(model);
    assert_true(lines > 0);
    figure("threads", "right, no race", "Sessions made and destroyed in threads | %d", 4 * sessions);
}

/* Each device that can be used, two threads each, at the same time. */
static void devices_side_by_side(void **state)
{
    float        want[MOST_DEVICES][3 * WORK_OUT];
    job          jobs[2 * MOST_DEVICES] = {0};
    int          count, n = 0;
    sepcl_model *model;
    (void)state;
    assert_int_equal(sepcl_device_count(&count), SEPCL_OK);
    assert_int_equal(sepcl_model_load(work_model(), NULL, &model), SEPCL_OK);
    for (int i = 0; i < count && n < MOST_DEVICES; i++) {
        sepcl_device_info info;
        assert_int_equal(sepcl_device_get(i, &info), SEPCL_OK);
        if (!info.available)
            continue;
        serial_answers(model, info.selector, want[n]);
        for (int k = 0; k < 2; k++)
            jobs[2 * n + k] = (job){.model = model, .device = info.selector, .runs = inferences / 4, .want = want[n]};
        n++;
    }
    if (n < 1 || n < work_devices())
        test_fail("%d of %d devices can be used, and %d are wanted\n", n, count, work_devices());
    run_all(jobs, 2 * n);
    sepcl_model_destroy(model);
    if (n > 1)
        figure("devices", "bit-equal to each device's serial answers", "Devices used at once | %d, 2 x %d each, bit-equal", n,
               inferences / 4);
    else
        print_message("there is one device only\n");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_sessions_of_one_model),
        cmocka_unit_test(sessions_come_and_go),
        cmocka_unit_test(devices_side_by_side),
    };
    work_begin(argc, argv);
    unsetenv("OPENCL_LAYERS"); /* as programs are */
    if (work_few()) {
        inferences = 100;
        sessions = 5;
    }
    sepcl_set_log(count_lines, NULL, SEPCL_LOG_DEBUG);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    work_end();
    return failed;
}
