/* SPDX-License-Identifier: Apache-2.0 */
/* Which releases are the agent itself: real files, under all their names. */
#include "agent/desired/own_program.h"

#include <fcntl.h>
#include <unistd.h>

#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static char dir[64];

static const char *below(const char *name, char path[256])
{
    (void)snprintf(path, 256, "%s%s%s", dir, name[0] != '/' ? "/" : "", name);
    return path;
}

static void put(const char *name)
{
    char path[256];
    int fd = open(below(name, path), O_CREAT | O_WRONLY | O_CLOEXEC, 0755);

    ck_assert_msg(fd >= 0, "%s", path);
    (void)close(fd);
}

static void make(const char *name)
{
    char path[256];

    ck_assert_int_eq(mkdir(below(name, path), 0755), 0);
}

static void set_up(void)
{
    char from[256], to[256];

    (void)snprintf(dir, sizeof(dir), "/tmp/holdfast-own-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(dir));
    make("tree-1");
    make("tree-1/bin");
    put("tree-1/bin/holdfast-agent");
    put("tree-1/bin/app");
    make("other");
    put("other/holdfast-units");
    make("state");
    make("state/host");
    make("state/host/supervisor");
    make("state/app");
    ck_assert_int_eq(symlink("state/host", below("life", to)), 0);
    ck_assert_int_eq(symlink("tree-1", below("current", to)), 0);
    ck_assert_int_eq(symlink("tree-1/bin", below("names", to)), 0);
    ck_assert_int_eq(link(below("tree-1/bin/holdfast-agent", from), below("other/hard", to)), 0);
}

static void tear_down(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), dir, NULL), 0);
}

static const struct {
    const char *path, *unit, *said; /* NULL: not the agent's */
} rows[] = {
    {"tree-1/bin/holdfast-agent", NULL, "is holdfast-agent of this agent"},
    {"names/holdfast-agent", NULL, "is holdfast-agent of this agent"},
    {"other/hard", NULL, "is holdfast-agent of this agent"},
    {"names/holdfast-tpm", NULL, "is holdfast-tpm of this agent"}, /* not there yet */
    {"tree-1/bin/holdfast-units", NULL, "is holdfast-units of this agent"},
    {"current", NULL, "holds this agent's program"},
    {"tree-1", NULL, "holds this agent's program"},
    {"tree-1/bin/app", "app.service", NULL},
    {"tree-1/bin/holdfast", NULL, NULL},  /* the agent does not need it */
    {"other/holdfast-units", NULL, NULL}, /* another one */
    {"other", NULL, NULL},
    {"nowhere/app", NULL, NULL},
    {"app", "edge-agent.service", "is the unit of this agent"},
    {"units/edge-agent.service", NULL, "belongs to the unit of this agent"},
    {"units/edge-agent.service.d/more.conf", NULL, "belongs to the unit of this agent"},
    {"units/my-edge-agent.service", NULL, NULL},
    {"state/host", NULL, "is where the supervisor starts this agent"},
    {"state/host/current", NULL, "is where the supervisor starts this agent"},
    {"state/host/slots/1/holdfast-agent", NULL, "is where the supervisor starts this agent"},
    {"life/supervisor/1", NULL, "is where the supervisor starts this agent"},
    {"life", NULL, "is where the supervisor starts this agent"},
    {"state", NULL, "is where the supervisor starts this agent"},
    {"state/app/x", NULL, NULL},
    {"state/hosts", NULL, NULL},
};

START_TEST(releases)
{
    char exe[256], path[256], host[256];
    const struct hf_own_program own = {.exe = below("tree-1/bin/holdfast-agent", exe),
                                       .unit = "edge-agent.service",
                                       .host_dir = below("state/host", host)};
    struct hf_install install = {.path = below(rows[_i].path, path), .restart_unit = rows[_i].unit};
    struct hf_err err = HF_ERR_INIT;
    bool is = hf_own_program_is(hf_fs_posix(), &own, &install, &err);

    ck_assert_msg(is == (rows[_i].said != NULL), "%s: %s", rows[_i].path, err.cause);
    ck_assert_msg(!is || strstr(err.cause, rows[_i].said) != NULL, "%s: %s", rows[_i].path, err.cause);
}
END_TEST

/* In a pod the program is in the image, and the unit that of nobody. */
START_TEST(nothing_is_known)
{
    const struct hf_own_program own = {.exe = NULL};
    struct hf_install install = {.path = "/usr/local/bin/holdfast-agent", .restart_unit = "holdfast-agent.service"};
    struct hf_err err = HF_ERR_INIT;

    ck_assert(!hf_own_program_is(hf_fs_posix(), &own, &install, &err));
}
END_TEST

/* Its place is the agent's own, whatever that is. */
START_TEST(the_agents_own_release)
{
    char exe[256], host[256];
    const struct hf_own_program own = {.exe = below("tree-1/bin/holdfast-agent", exe),
                                       .host_dir = below("state/host", host)};
    struct hf_install install = {.kind = HF_INSTALL_AGENT, .path = ""};
    struct hf_err err = HF_ERR_INIT;

    ck_assert(!hf_own_program_is(hf_fs_posix(), &own, &install, &err));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_loop_test(tc, releases, 0, HF_LEN(rows));
    tcase_add_test(tc, nothing_is_known);
    tcase_add_test(tc, the_agents_own_release);
}

HF_TEST_MAIN("agent/own_program", cases)
