/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starve_device [MOST]: what is done on a device for the user who looks after it, once for each allocation that fails (by
 * default each that is made on another way through the code):
 * self-tests, what would be chosen there, what its cache holds, the comparison with the reference, times and competing
 * ways by step, and which layers separate exactly.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../fault/starve.h"
#include "../unit/onnx_writer.h"
#include "sepcl/sepcl.h"

static int device;

static bool go_on(void *user, const sepcl_self_test_result *r)
{
    (void)user;
    return r->failed == 0;
}

/* given: the op. */
static status do_self_test(const void *given)
{
    return sepcl_device_self_test(&(sepcl_self_test_desc){.device = device, .op = given, .quick = true}, go_on, NULL);
}

static status do_self_test_half(const void *given)
{
    return sepcl_device_self_test(&(sepcl_self_test_desc){.device = device, .op = given, .quick = true, .f16 = true},
                                  go_on, NULL);
}

static status do_choice(const void *given)
{
    const char *line;
    (void)given;
    return sepcl_device_choice(device, 0, &line);
}

static status do_cache(const void *given)
{
    sepcl_cache_info info;
    (void)given;
    return sepcl_device_cache(device, NULL, &info);
}

static status do_ban(const void *given)
{
    const char *line;
    (void)given;
    return sepcl_device_ban(device, NULL, 0, &line);
}

static pb file;

static pb small_file(void)
{
    net m = {{0}};
    INPUT(&m, "x", 1, 2, 6, 6);
    WEIGHT(&m, "w", 0.01f, 3, 2, 3, 3);
    NODE(&m, "Conv", "c", "x,w", "c");
    NODE(&m, "Relu", "r", "c", "r");
    NODE_WITH(&m, "Softmax", "s", "r", "y", attr_i("axis", 1));
    net_output(&m, "y");
    return net_finish(&m, 13);
}

static status use(sepcl_session *s)
{
    static const float in[72] = {1};
    float              out[48];
    sepcl_step_info    step;
    if (sepcl_session_bind(s, 0, in, sizeof in) != SEPCL_OK || sepcl_session_run(s) != SEPCL_OK ||
        sepcl_session_read(s, 0, out, sizeof out) != SEPCL_OK)
        return error_code();
    for (int i = 0; i < sepcl_session_step_count(s); i++) {
        sepcl_way way;
        int       n;
        TRY(sepcl_session_step(s, i, &step));
        TRY(sepcl_session_way_count(s, i, &n));
        for (int k = 0; k < n; k++)
            TRY(sepcl_session_way(s, i, k, &way));
    }
    return sepcl_session_check(s, 0, NULL, NULL);
}

static status do_session(const void *given)
{
    sepcl_model   *m;
    sepcl_session *s;
    TRY(sepcl_model_load_memory(file.p, file.n, NULL, &m));
    status st = sepcl_session_create(m, given, &s);
    if (st == SEPCL_OK)
        st = use(s);
    sepcl_session_destroy(s);
    sepcl_model_destroy(m);
    return st;
}

static status do_summary(const void *given)
{
    sepcl_model     *m;
    sepcl_summary   *s;
    sepcl_layer_info l;
    sepcl_exact_form f;
    (void)given;
    TRY(sepcl_model_load_memory(file.p, file.n, NULL, &m));
    status st = sepcl_summary_create(m, NULL, 0, &s);
    for (int i = 0; st == SEPCL_OK && i < sepcl_summary_layer_count(s); i++) {
        st = sepcl_summary_layer(s, i, &l);
        if (st == SEPCL_OK && sepcl_can_separate())
            st = sepcl_summary_exact_form(s, i, &f);
    }
    sepcl_summary_destroy(s);
    sepcl_model_destroy(m);
    return st;
}

/* What stays for good is made by a first run. */
static void from(const char *name, status (*step)(const void *), const void *given, long most)
{
    (void)step(given);
    (void)step(given);
    starve("the device", name, step, given, most, 0);
}

int main(int argc, char **argv)
{
    const long most = argc > 1 ? strtol(argv[1], NULL, 10) : STARVE_NEW(STARVE_FRAMES);
    file = small_file();
    if (sepcl_device_find(NULL, &device) != SEPCL_OK) {
        fprintf(stderr, "starve_device: %s\n", sepcl_last_error());
        return 1;
    }
    from("self-test", do_self_test, "cast", most);
    from("self-test of a view", do_self_test, "reshape", most);
    from("self-test with halves", do_self_test_half, "cast", most);
    from("choice", do_choice, NULL, most);
    from("cache", do_cache, NULL, most);
    from("bans", do_ban, NULL, most);
    from("session", do_session, &(sepcl_session_desc){0}, most);
    from("session with times", do_session, &(sepcl_session_desc){.profile = true, .no_fusion = true}, most);
    from("session of halves", do_session, &(sepcl_session_desc){.precision = SEPCL_F16}, most);
    from("exact forms", do_summary, NULL, most);
    free(file.p);
    printf("%ld failures: %ld said that memory is out, %ld ended as without\n", starve_failures, starve_named,
           starve_finished);
    return starve_wrongs == 0 && starve_failures > 0 && starve_named > 0 ? 0 : 1;
}
