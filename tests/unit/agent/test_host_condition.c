/* SPDX-License-Identifier: Apache-2.0 */
/* What the condition HostLife says of an agent on the host: its credential ends with the pod, or does not. */
#include "agent/process/host_condition.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "os/dir.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static char folder[64], pods[128];

static void setup(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/holdfast-life-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    (void)snprintf(pods, sizeof(pods), "%s/host", folder);
    ck_assert_int_eq(hf_dir_make(hf_fs_posix(), pods, 0700, NULL), 0);
    (void)snprintf(pods, sizeof(pods), "%s/host/pod/kubeconfig", folder);
}

static void teardown(void)
{
    ck_assert_int_eq(hf_dir_remove_tree(hf_fs_posix(), folder, NULL), 0);
}

static const struct {
    const char *kubeconfig, *identity; /* "": that of the pod */
    bool installed, warned;
} rows[] = {
    {"", NULL, true, true},
    {"", "/var/lib/holdfast/client-certificate", true, false},
    {"/etc/holdfast/kubeconfig", NULL, true, false},
    {NULL, NULL, true, false},
    {"", NULL, false, false}, /* no pod installed it */
};

START_TEST(what_ends_with_the_pod)
{
    const struct hf_hostlife_mark mark = {.boot = "b", .version = "1", .proven = true};
    const char *kubeconfig = rows[_i].kubeconfig;
    struct hf_agent_options options = {.state_dir = folder};
    struct hf_status_finding life;
    char message[HF_HOSTLIFE_TEXT];

    options.kubeconfig = kubeconfig != NULL && kubeconfig[0] == '\0' ? pods : kubeconfig;
    options.identity.dir = rows[_i].identity;
    const struct hf_hostlife_place place = hf_host_condition_place(&options);
    if (rows[_i].installed)
        ck_assert_int_eq(hf_hostlife_mark_save(&place, &mark, NULL), 0);
    hf_host_condition(&options, &life, message);
    ck_assert_int_eq(life.good, rows[_i].installed);
    ck_assert_int_eq(life.reason != NULL, rows[_i].installed);
    ck_assert_msg((strstr(message, "set certificates.enabled") != NULL) == rows[_i].warned, "%s", message);
}
END_TEST

/* An agent that was installed long ago, and somebody opened its folder, or host/ in it, since. */
START_TEST(a_folder_open_to_others)
{
    const struct hf_hostlife_mark mark = {.boot = "b", .version = "1", .proven = true};
    struct hf_agent_options options = {.state_dir = folder};
    const struct hf_hostlife_place place = hf_host_condition_place(&options);
    struct hf_status_finding life;
    char message[HF_HOSTLIFE_TEXT], host[80];

    (void)snprintf(host, sizeof(host), "%s/host", folder);
    ck_assert_int_eq(hf_hostlife_mark_save(&place, &mark, NULL), 0);
    ck_assert_int_eq(chmod(_i == 0 ? folder : host, 0777), 0);
    hf_host_condition(&options, &life, message);
    ck_assert(!life.good);
    ck_assert_str_eq(life.reason, "OpenFolder");
    ck_assert_ptr_nonnull(strstr(message, "chmod go-w"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, a_folder_open_to_others, 0, 2);
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_loop_test(tc, what_ends_with_the_pod, 0, HF_LEN(rows));
}

HF_TEST_MAIN("agent/host_condition", cases)
