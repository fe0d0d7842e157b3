/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/process/first_install.h"

#include <check.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "agent/process/process.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"
#include "trust/key.h"

#define TRUST "/etc/holdfast/trust.d"
#define CONFIG "/etc/holdfast/agent.yaml"
#define GOOD_CONFIG "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\nupdateRoots: [/opt]\n"

static struct hf_simfs *disk;
static struct hf_buf priv = HF_BUF_INIT(1000), pub = HF_BUF_INIT(1000);
static struct hf_err err;

static void put(const char *path, const char *text)
{
    hf_simfs_put(disk, path, text, strlen(text), 0644);
}

/* A node without a trust folder, and what a chart gives: two keys, a threshold, a configuration. */
static void set_up(void)
{
    disk = hf_simfs_new();
    err = (struct hf_err)HF_ERR_INIT;
    hf_simfs_mkdir(disk, "/etc", 0755);
    hf_simfs_mkdir(disk, "/etc/holdfast", 0755);
    hf_simfs_mkdir(disk, "/from", 0755);
    ck_assert_int_eq(hf_trust_generate(&priv, &pub, NULL), 0);
    put("/from/release-1.pem", hf_buf_str(&pub));
    put("/from/threshold", "1\n");
    put("/from/agent.yaml", GOOD_CONFIG);
}

static void tear_down(void)
{
    ck_assert_uint_eq(hf_simfs_open_fds(disk), 0);
    hf_simfs_free(disk);
    hf_buf_done(&priv);
    hf_buf_done(&pub);
}

static int install(bool *ret_installed)
{
    err = (struct hf_err)HF_ERR_INIT;
    return hf_first_install(hf_simfs_ops(disk), "/from", TRUST, CONFIG, ret_installed, &err);
}

static bool is_there(const char *path)
{
    struct stat st;

    return hf_simfs_stat(disk, path, &st);
}

static bool has(const char *path, const char *text)
{
    size_t n = 0;
    const char *bytes = hf_simfs_get(disk, path, &n);

    return bytes != NULL && n == strlen(text) && memcmp(bytes, text, n) == 0;
}

START_TEST(all_files_once)
{
    bool installed = false;
    struct stat st;

    ck_assert_int_eq(install(&installed), 0);
    ck_assert(installed && has(TRUST "/release-1.pem", hf_buf_str(&pub)) && has(TRUST "/threshold", "1\n"));
    ck_assert(has(CONFIG, GOOD_CONFIG) && !is_there(TRUST "/agent.yaml") && !is_there(TRUST ".new"));
    ck_assert(hf_simfs_stat(disk, TRUST, &st) && (st.st_mode & 0777) == 0755);
    ck_assert(hf_simfs_stat(disk, TRUST "/release-1.pem", &st) && (st.st_mode & 0777) == 0644);
}
END_TEST

/* Another key, a lower threshold, no file at all, a wrong file: nothing of it reaches a node that has the folder. */
START_TEST(never_again)
{
    static const char *const before[] = {TRUST "/release-1.pem", TRUST "/other.pem", NULL};
    bool installed = false;

    for (size_t i = 0; i < HF_LEN(before); i++) {
        hf_simfs_mkdir(disk, TRUST, 0755);
        if (before[i] != NULL)
            put(before[i], "owner's");
        put("/from/wrong", "x");
        ck_assert_int_eq(install(&installed), 0);
        ck_assert(!installed && !is_there(CONFIG) && !is_there(TRUST "/threshold"));
        ck_assert(before[i] == NULL || has(before[i], "owner's"));
        ck_assert(i == 0 || !is_there(TRUST "/release-1.pem"));
        if (before[i] != NULL)
            hf_simfs_delete(disk, before[i]);
    }
}
END_TEST

START_TEST(configuration_of_the_owner_stays)
{
    bool installed = false;

    put(CONFIG, "owner's");
    ck_assert_int_eq(install(&installed), 0);
    ck_assert(installed && has(CONFIG, "owner's"));
}
END_TEST

static const struct {
    const char *name, *text, *why;
} wrong[] = {
    {"/from/notes", "x", "'notes' is neither <keyId>.pem, 'threshold' nor 'agent.yaml'"},
    {"/from/Release.pem", NULL, "'Release.pem' has no key id as its name"},
    {"/from/b.pem", "no key", "key 'b.pem'"},
    {"/from/threshold", "2", "a number from 1 to 1, the number of keys"},
    {"/from/threshold", "0", "a number from 1 to 1"},
    {"/from/threshold", "11111111111", "a number from 1 to 1"},
    {"/from/agent.yaml", "kind: Pod\n", "agent.yaml"},
    {"/from/agent.yaml", GOOD_CONFIG "updateRoot: [/]\n", "did you mean 'updateRoots'?"},
};

START_TEST(one_wrong_file_and_nothing_is_installed)
{
    bool installed = true;
    char text[600];

    put(wrong[_i].name, wrong[_i].text != NULL ? wrong[_i].text : hf_buf_str(&pub));
    ck_assert_int_lt(install(&installed), 0);
    ck_assert_msg(strstr(hf_err_text(&err, text, sizeof(text)), wrong[_i].why) != NULL, "%s", text);
    ck_assert_ptr_nonnull(strstr(text, "first installation from '/from'"));
    ck_assert(!installed && !is_there(TRUST) && !is_there(CONFIG));
}
END_TEST

START_TEST(private_keys_and_no_keys)
{
    bool installed = true;
    char text[600];

    put("/from/release-1.pem", hf_buf_str(&priv));
    ck_assert_int_eq(install(&installed), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(hf_err_text(&err, text, sizeof(text)), "private key"));
    hf_simfs_delete(disk, "/from/release-1.pem");
    ck_assert_int_eq(install(&installed), -EBADMSG);
    ck_assert_ptr_nonnull(strstr(hf_err_text(&err, text, sizeof(text)), "no key <keyId>.pem is there"));
    ck_assert(!is_there(TRUST));
}
END_TEST

/* After a power cut at any call, the trust folder is absent or whole, and the next start finishes. */
START_TEST(power_cut_at_any_call)
{
    bool installed = false;

    for (uint64_t n = 1;; n++) {
        tear_down();
        set_up();
        hf_simfs_stop_at(disk, n);
        (void)!install(&installed);
        bool stopped = hf_simfs_stopped(disk);
        if (stopped)
            hf_simfs_power_cut(disk, n);
        else
            hf_simfs_stop_at(disk, 0);
        if (is_there(TRUST))
            ck_assert(has(TRUST "/release-1.pem", hf_buf_str(&pub)) && has(TRUST "/threshold", "1\n"));
        ck_assert_msg(install(&installed) == 0, "after call %d: %s", (int)n, err.cause);
        ck_assert(has(TRUST "/release-1.pem", hf_buf_str(&pub)) && has(CONFIG, GOOD_CONFIG) && !is_there(TRUST ".new"));
        if (!stopped)
            break;
    }
}
END_TEST

START_TEST(failing_disk)
{
    for (uint64_t n = 1;; n++) {
        bool installed = false;
        tear_down();
        set_up();
        hf_simfs_fail_at(disk, n, EIO, 1);
        int r = install(&installed);
        bool failed = hf_simfs_failed(disk) > 0;
        ck_assert_msg(r == 0 || (err.code != 0 && !installed), "call %d", (int)n);
        hf_simfs_fail_at(disk, 0, 0, 0);
        ck_assert_int_eq(install(&installed), 0);
        ck_assert(has(TRUST "/release-1.pem", hf_buf_str(&pub)));
        if (!failed)
            break;
    }
}
END_TEST

START_TEST(what_the_process_says)
{
    struct hf_agent_options options = {.first_install = "/from", .trust_dir = TRUST, .config = CONFIG};
    char said[400] = "", faults[400] = "";
    FILE *out = fmemopen(said, sizeof(said), "w"), *bad = fmemopen(faults, sizeof(faults), "w");

    put("/from/wrong", "x");
    ck_assert_int_eq(hf_first_install_run(&options, hf_simfs_ops(disk), out, bad), HF_EXIT_FAILED);
    hf_simfs_delete(disk, "/from/wrong");
    ck_assert_int_eq(hf_first_install_run(&options, hf_simfs_ops(disk), out, bad), HF_EXIT_OK);
    ck_assert_int_eq(hf_first_install_run(&options, hf_simfs_ops(disk), out, bad), HF_EXIT_OK);
    ck_assert(fclose(out) == 0 && fclose(bad) == 0);
    ck_assert_str_eq(said, TRUST ": made, with the files of /from\n" TRUST ": exists, left as it is\n");
    ck_assert_ptr_nonnull(strstr(faults, "holdfast-agent: first installation from '/from': 'wrong' is neither"));
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_checked_fixture(tc, set_up, tear_down);
    tcase_add_test(tc, all_files_once);
    tcase_add_test(tc, never_again);
    tcase_add_test(tc, configuration_of_the_owner_stays);
    tcase_add_loop_test(tc, one_wrong_file_and_nothing_is_installed, 0, HF_LEN(wrong));
    tcase_add_test(tc, private_keys_and_no_keys);
    tcase_add_test(tc, power_cut_at_any_call);
    tcase_add_test(tc, failing_disk);
    tcase_add_test(tc, what_the_process_says);
}

HF_TEST_MAIN("agent/first_install", cases)
