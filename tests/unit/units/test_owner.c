/* SPDX-License-Identifier: Apache-2.0 */
/* The list `units` of agent.yaml while the file changes, is cut in the middle, or is gone. */
#include "units/owner.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

#define HEAD "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentConfiguration\n"
#define GOOD HEAD "units: [a.service]\n"

static char dir[] = "/tmp/hf-owner-XXXXXX", path[64];

static void put(const char *text, mode_t mode)
{
    (void)unlink(path);
    if (text == NULL)
        return;
    FILE *file = fopen(path, "we");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(fputs(text, file), 0);
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(chmod(path, mode), 0);
}

static const struct {
    const char *name, *first, *then; /* NULL: there is no file */
    mode_t mode;
    bool must_exist, a, b; /* may a.service, b.service be restarted */
} rows[] = {
    {"no file", NULL, NULL, 0644, false, true, true},
    {"a list", NULL, GOOD, 0644, false, true, false},
    {"the list changes", GOOD, HEAD "units: [b.service]\n", 0644, true, false, true},
    {"cut in the middle", GOOD, "apiVersion: edge.codcompass.io/v1alpha1\nkind: AgentCon", 0644, true, true, false},
    {"empty", GOOD, "", 0644, true, true, false},
    {"no YAML", GOOD, HEAD "units: [a.service\n", 0644, true, true, false},
    {"others may write it", GOOD, HEAD, 0666, true, true, false},
    {"it is gone, and must exist", GOOD, NULL, 0644, true, true, false},
    {"it is gone, and may", GOOD, NULL, 0644, false, true, true},
    {"unusable from the start", "{", "{", 0644, false, false, false},
    {"missing from the start, and must exist", NULL, NULL, 0644, true, false, false},
    {"unusable at the start alone", "{", GOOD, 0644, false, true, false},
    {"a wrong list allows nothing", GOOD, HEAD "units: a.service\n", 0644, false, false, false},
    {"a wrong item allows nothing", GOOD, HEAD "units: [7, a.service]\n", 0644, false, true, false},
};

START_TEST(last_usable_list_counts)
{
    struct hf_units_owner owner = {.fs = hf_fs_posix(), .path = path, .must_exist = rows[_i].must_exist};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_ptr_nonnull(mkdtemp(dir));
    (void)snprintf(path, sizeof(path), "%s/agent.yaml", dir);
    put(rows[_i].first, 0644);
    hf_units_owner_begin(&owner);
    put(rows[_i].then, rows[_i].mode);
    bool a = hf_units_owner_allows(&owner, "a.service", &err), b = hf_units_owner_allows(&owner, "b.service", &err);
    hf_units_owner_done(&owner);
    put(NULL, 0);
    (void)rmdir(dir);
    ck_assert_msg(a == rows[_i].a && b == rows[_i].b, "%s: %d %d", rows[_i].name, a, b);
    ck_assert_msg(b || strstr(err.cause, path) != NULL, "%s: %s", rows[_i].name, err.cause);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, last_usable_list_counts, 0, (int)HF_LEN(rows));
}

HF_TEST_MAIN("units/owner", cases)
