/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_ops [--op NAME] [--device SEL] [--quick] [--f16] [--one-in N]: every kernel row over its cases and legal parameters
 * against the scalar reference. SEPCL_TEST_DEVICE chooses the device when --device does not; with --one-in each parameter
 * set runs on every N-th case only, and each case with every value of each parameter, as drivers compile slowly;
 * SEPCL_TEST_ONE_IN=N raises N, and SEPCL_TEST_FEW_SETS=1 takes, where there is an --one-in, only the sets that bring a
 * case a value of a parameter.
 * Prints a line a variant, then "N passed, N failed".
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"

static int passed, failed;

static bool show(void *user, const sepcl_self_test_result *r)
{
    (void)user;
    passed += r->failed == 0;
    failed += r->failed != 0;
    printf("%s %-16s %-24s %-28s %3d cases, error %.2e of %.0e%s%s\n", r->failed ? "FAIL" : "ok  ", r->op, r->kernel,
           r->parameters, r->cases, r->error, r->tolerance, r->detail ? ": " : "", r->detail ? r->detail : "");
    fflush(stdout);
    return true;
}

/* A kernel that calls a built-in function which builtins.cl lacks costs each later program of a context 85 ms on PoCL. */
static void to_stderr(void *user, sepcl_log_level level, const char *line)
{
    (void)user;
    fprintf(stderr, "%s\n", line);
    failed += level == SEPCL_LOG_WARN && strstr(line, "the driver's own header") != NULL;
}

int main(int argc, char **argv)
{
    sepcl_self_test_desc d = {0};
    bool                 verbose = false;
    const char          *device = getenv("SEPCL_TEST_DEVICE"), *least = getenv("SEPCL_TEST_ONE_IN"), *one_in = "1";
    const char          *few_sets = getenv("SEPCL_TEST_FEW_SETS");
    for (int i = 1; i < argc; i++) {
        if (!strcmp(argv[i], "--op") && i + 1 < argc)
            d.op = argv[++i];
        else if (!strcmp(argv[i], "--device") && i + 1 < argc)
            device = argv[++i];
        else if (!strcmp(argv[i], "--one-in") && i + 1 < argc)
            one_in = argv[++i];
        else if (!strcmp(argv[i], "--quick"))
            d.quick = true;
        else if (!strcmp(argv[i], "--f16"))
            d.f16 = true;
        else if (!strcmp(argv[i], "-v"))
            sepcl_set_log(to_stderr, NULL, SEPCL_LOG_DEBUG), verbose = true;
        else {
            fprintf(stderr, "test_ops: unknown option '%s'\n", argv[i]);
            return 2;
        }
    }
    if (!verbose)
        sepcl_set_log(to_stderr, NULL, SEPCL_LOG_WARN);
    least = least ? least : one_in;
    if (atoi(one_in) < 1 || atoi(least) < 1) {
        fprintf(stderr, "test_ops: one in '%s' or '%s', but each has to be a number from 1 on\n", one_in, least);
        return 2;
    }
    self_test_one_in = atoi(least) > atoi(one_in) ? atoi(least) : atoi(one_in);
    self_test_few_sets = few_sets && !strcmp(few_sets, "1") && atoi(one_in) > 1;
    sepcl_status st = sepcl_device_find(device, &d.device);
    if (st == SEPCL_OK)
        st = sepcl_device_self_test(&d, show, NULL);
    if (st != SEPCL_OK)
        fprintf(stderr, "test_ops: %s\n", sepcl_last_error());
    if (passed + failed == 0 && st == SEPCL_OK) {
        fprintf(stderr, "test_ops: nothing was tested\n");
        st = SEPCL_MISMATCH;
    }
    if (failed && st == SEPCL_OK)
        st = SEPCL_MISMATCH;
    printf("%d passed, %d failed\n", passed, failed);
    return (int)st;
}
