/* SPDX-License-Identifier: Apache-2.0 */
/* node host: what it says of an installation, and what it refuses to remove; with a systemd of the test's own. */
#include "cli/node/host.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/install.h"
#include "host/inventory.h"
#include "host/unit_text.h"
#include "os/clock_posix.h"
#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"
#include "support/cli_run.h"

#define UNIT_TEXT HF_HOSTLIFE_UNIT_MARK "\n[Service]\n"
#define AGENT "image/host/holdfast-agent"

static struct cli_run run;
static struct hf_hostlife_place place;
static char state_dir[128], unit_dir[128], image_dir[128], run_dir[128], bin_dir[128];
static const char *active; /* NULL: systemd does not answer */
static unsigned acts;

static int act(void *ctx, enum hf_unit_act what, struct hf_err *err)
{
    (void)ctx;
    (void)what;
    acts++;
    return active != NULL ? 0 : hf_err_set(err, ENOTCONN, "no bus");
}

static int restart(void *ctx, struct hf_err *err)
{
    return act(ctx, HF_UNIT_START, err);
}

static int state(void *ctx, char text[HF_HOSTLIFE_STATE], struct hf_err *err)
{
    (void)ctx;
    if (active == NULL)
        return hf_err_set(err, ENOTCONN, "no bus");
    (void)snprintf(text, HF_HOSTLIFE_STATE, "%s", active);
    return 0;
}

static const struct hf_hostlife_systemd systemd = {NULL, act, restart, state};

static const char *folder(char path[128], const char *name)
{
    (void)snprintf(path, 128, "%s/%s", run.folder, name);
    ck_assert_int_eq(hf_dir_make(hf_fs_posix(), path, 0755, NULL), 0);
    return path;
}

/* A program that says a version. */
static void put_program(const char *name, const char *version)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "#!/bin/sh\necho holdfast-agent %s\n", version);
    cli_write_text(&run, name, text);
    ck_assert_int_eq(chmod(cli_path(&run, name), 0755), 0);
}

static void setup(void)
{
    cli_begin(&run);
    active = "active";
    acts = 0;
    place = (struct hf_hostlife_place){.fs = hf_fs_posix(),
                                       .state_dir = folder(state_dir, "state"),
                                       .unit_dir = folder(unit_dir, "units"),
                                       .image_dir = folder(image_dir, "image"),
                                       .run_dir = folder(run_dir, "run"),
                                       .bin_dir = folder(bin_dir, "bin")};
    char path[128];
    (void)folder(path, "image/host");
    (void)folder(path, "image/supervisor");
    put_program(AGENT, "1.0.0");
    cli_write_text(&run, "image/supervisor/holdfast-supervisor", "");
}

static void teardown(void)
{
    cli_end(&run);
}

static void install(void)
{
    const struct hf_hostlife_install what = {&place, &systemd, HF_VIEW(UNIT_TEXT), HF_VIEW("A=\"1\"\n"), "1.0.0"};
    enum hf_hostlife_reason reason;

    ck_assert_int_eq(hf_hostlife_install(&what, &reason, NULL), 0);
    acts = 0;
}

enum word { STATUS, AS_JSON, REMOVE, FORCE };

static int host(enum word word)
{
    size_t out_n = 0;
    struct hf_err err = HF_ERR_INIT;
    char text[512];

    free(run.out);
    free(run.err);
    struct hf_cli cli = {.out = open_memstream(&run.out, &out_n), .fs = hf_fs_posix(), .clock = hf_clock_posix()};
    int r = word < REMOVE ? hf_cli_host_status(&cli, &place, &systemd, word == AS_JSON, &err)
                          : hf_cli_host_remove(&cli, &place, &systemd, word == FORCE, &err);
    (void)fclose(cli.out);
    run.err = strdup(r < 0 ? hf_err_text(&err, text, sizeof(text)) : "");
    return r < 0 ? hf_cli_exit_of(r) : r;
}

static void expect(const char *got, const char *part)
{
    ck_assert_msg(strstr(got, part) != NULL, "no '%s' in:\n%s", part, got);
}

static void link_to(const char *name, const char *target)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/host/%s", state_dir, name);
    (void)unlink(path);
    ck_assert_int_eq(symlink(target, path), 0);
}

START_TEST(what_it_shows)
{
    ck_assert_int_eq(host(STATUS), HF_EXIT_OK);
    expect(run.out, "no pod has installed an agent");
    install();
    ck_assert_int_eq(host(STATUS), HF_EXIT_OK);
    expect(run.out, "Installed: the agent runs on the host");
    expect(run.out, "holdfast-agent.service: active");
    expect(run.out, "runs       1.0.0 (");
    expect(run.out, ", healthy\n");
    expect(run.out, "none watches now");
    ck_assert_ptr_null(strstr(run.out, "kept"));
    active = "failed";
    ck_assert_int_eq(host(STATUS), HF_EXIT_UNWELL);
    expect(run.out, "holdfast-agent.service: failed");
    active = NULL;
    ck_assert_int_eq(host(STATUS), HF_EXIT_UNWELL);
    expect(run.out, "no bus");
    ck_assert_uint_eq(acts, 0);
}
END_TEST

START_TEST(a_build_on_trial)
{
    char path[300];

    install();
    (void)snprintf(path, sizeof(path), "state/host/%s/next", HF_HOST_BUILDS);
    ck_assert_int_eq(mkdir(cli_path(&run, path), 0755), 0);
    (void)snprintf(path, sizeof(path), "state/host/%s/next/holdfast-agent", HF_HOST_BUILDS);
    put_program(path, "2.0.0\nmore");
    link_to(HF_HOST_CURRENT, HF_HOST_BUILDS "/next");
    link_to(HF_HOST_TRIAL, "2 " HF_HOST_BUILDS "/next");
    link_to(HF_HOST_VERDICT, "Crashed " HF_HOST_BUILDS "/other");
    ck_assert_int_eq(host(STATUS), HF_EXIT_UNWELL);
    expect(run.out, "runs       2.0.0 (next), on trial: it has not been healthy yet, and has ended 2 times\n");
    expect(run.out, "kept       1.0.0 (");
    expect(run.out, "given up   other: Crashed\n");
    ck_assert_int_eq(host(AS_JSON), HF_EXIT_UNWELL);
    cli_page_knows_json(&run, "node host [status | remove]");
    expect(run.out, "\"installedBy\":\"Pod\"");
    expect(run.out, "\"healthy\":false");
    expect(run.out, "\"why\":\"Crashed\"");

    /* Links that somebody damaged: nothing is run, and all is said to be missing. */
    link_to(HF_HOST_CURRENT, "../../../bin");
    link_to(HF_HOST_VERDICT, "Crashed");
    link_to(HF_HOST_GOOD, "/bin");
    ck_assert_int_eq(host(STATUS), HF_EXIT_UNWELL);
    expect(run.out, "runs       no build\n");
    ck_assert_ptr_null(strstr(run.out, "given up"));
}
END_TEST

START_TEST(removes_what_a_pod_installed)
{
    struct hf_hostlife_inventory has;

    ck_assert_int_eq(host(REMOVE), HF_EXIT_OK);
    expect(run.out, "nothing to remove");
    install();
    cli_write_text(&run, "state/clock", "kept");
    active = NULL; /* the unit cannot be stopped: nothing goes */
    ck_assert_int_eq(host(FORCE), HF_EXIT_FAILED);
    ck_assert_int_eq(access(cli_path(&run, "units/holdfast-agent.service"), F_OK), 0);
    active = "active";
    ck_assert_int_eq(host(REMOVE), HF_EXIT_OK);
    expect(run.out, "removed: holdfast-agent.service");
    expect(run.out, "state (state, journals, keys)");
    ck_assert_int_eq(hf_hostlife_inventory(&place, &has, NULL), 0);
    ck_assert_int_ne(has.owner, HF_HOSTLIFE_A_POD);
    ck_assert_int_lt(access(cli_path(&run, "state/host"), F_OK), 0);
    ck_assert_int_lt(access(cli_path(&run, "units/holdfast-agent.service"), F_OK), 0);
    ck_assert_int_lt(faccessat(AT_FDCWD, cli_path(&run, "bin/holdfast"), F_OK, AT_SYMLINK_NOFOLLOW), 0);
    ck_assert_int_eq(access(cli_path(&run, "state/clock"), F_OK), 0);
}
END_TEST

START_TEST(a_pod_that_watches)
{
    char path[128];

    install();
    (void)folder(path, "state/host/pod");
    int lock = hf_hostlife_watch_lock(&place, NULL);
    ck_assert_int_ge(lock, 0);
    ck_assert_int_lt(hf_hostlife_watch_lock(&place, NULL), 0); /* one at a time */
    ck_assert_int_eq(host(STATUS), HF_EXIT_OK);
    expect(run.out, "of the DaemonSet watches");
    ck_assert_int_eq(host(REMOVE), HF_EXIT_REFUSED);
    expect(run.err, "DaemonSetWatches: ");
    ck_assert_uint_eq(acts, 0);
    ck_assert_int_eq(close(lock), 0); /* as the kernel does when the pod's process ends */
    ck_assert_int_eq(host(STATUS), HF_EXIT_OK);
    expect(run.out, "none watches now");
    lock = hf_hostlife_watch_lock(&place, NULL);
    ck_assert_int_eq(host(FORCE), HF_EXIT_OK);
    expect(run.out, "installs it again at its next start");
    ck_assert_int_lt(access(cli_path(&run, "state/host"), F_OK), 0);
    ck_assert_int_eq(close(lock), 0);
}
END_TEST

START_TEST(what_is_not_a_pods)
{
    cli_write_text(&run, "units/holdfast-agent.service", "[Service]\n");
    ck_assert_int_eq(host(STATUS), HF_EXIT_OK);
    expect(run.out, "no pod has installed it");
    ck_assert_int_eq(host(FORCE), HF_EXIT_REFUSED);
    expect(run.err, "AlreadyOnHost: ");
    ck_assert_int_eq(access(cli_path(&run, "units/holdfast-agent.service"), F_OK), 0);
    ck_assert_uint_eq(acts, 0);
}
END_TEST

START_TEST(bad_command_lines)
{
    ck_assert_int_eq(cli(&run, "node", "host", "update", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "node", "host", "status", "--force", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "node", "host", "remove", "--json", NULL), HF_EXIT_USAGE);
    ck_assert_int_eq(cli(&run, "node", "host", "status", "remove", NULL), HF_EXIT_USAGE);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, what_it_shows);
    tcase_add_test(tc, a_build_on_trial);
    tcase_add_test(tc, removes_what_a_pod_installed);
    tcase_add_test(tc, a_pod_that_watches);
    tcase_add_test(tc, what_is_not_a_pods);
    tcase_add_test(tc, bad_command_lines);
}

HF_TEST_MAIN("cli/node_host", cases)
