/* SPDX-License-Identifier: Apache-2.0 */
/* Every file of cases/ begins with "# expect: ok" or "# expect: <path>: <start of the text>": what decoding it must
 * say. The same files are applied to a real API server; "# server: accepts" marks those only a node can refuse. */
#include <dirent.h>
#include <errno.h>

#include "api/edgenode.h"
#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "support/check_main.h"

#define FOLDER "tests/unit/api/cases"

static struct dirent **files;
static int n_files;

static int only_yaml(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');

    return dot != NULL && strcmp(dot, ".yaml") == 0;
}

static void read_file(const char *name, struct hf_buf *text)
{
    char path[512], chunk[4096];
    size_t n;

    (void)snprintf(path, sizeof(path), FOLDER "/%s", name);
    FILE *file = fopen(path, "r");
    ck_assert_msg(file != NULL, "%s", path);
    while ((n = fread(chunk, 1, sizeof(chunk), file)) > 0)
        ck_assert_int_eq(hf_buf_add(text, chunk, n), 0);
    (void)fclose(file);
}

static int decode(json_t *json, struct hf_issues *issues)
{
    struct hf_edgeupdate *update = NULL;
    struct hf_syncpolicy *policy = NULL;
    struct hf_edgenode *edgenode = NULL;
    int r;

    if (strcmp(hf_json_str_or(json, "kind", ""), "SyncPolicy") == 0)
        r = hf_syncpolicy_decode(json, &policy, issues);
    else if (strcmp(hf_json_str_or(json, "kind", ""), "EdgeNode") == 0)
        r = hf_edgenode_decode(json, &edgenode, issues);
    else
        r = hf_edgeupdate_decode(json, &update, issues);
    hf_edgeupdate_free(update);
    hf_syncpolicy_free(policy);
    hf_edgenode_free(edgenode);
    return r;
}

START_TEST(case_file)
{
    static const char key[] = "# expect: ";
    const char *name = files[_i]->d_name;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 20), told = HF_BUF_INIT(10000);
    _cleanup_(hf_json_freep) json_t *json = NULL;
    static struct hf_issues issues;
    struct hf_err err = HF_ERR_INIT;

    read_file(name, &text);
    ck_assert_msg(strncmp(hf_buf_str(&text), key, strlen(key)) == 0, "%s says nothing to expect", name);
    struct hf_view want = {hf_buf_str(&text) + strlen(key), strcspn(hf_buf_str(&text), "\n") - strlen(key)};
    ck_assert_msg(hf_yaml_parse(hf_buf_view(&text), NULL, &json, &err) == 0, "%s: %s", name, err.cause);
    int r = decode(json, &issues);
    hf_issues_format(&issues, &told);
    if (hf_view_eq(want, "ok")) {
        ck_assert_msg(r == 0 && issues.n_errors == 0, "%s: %s", name, hf_buf_str(&told));
        return;
    }
    ck_assert_msg(r == -EBADMSG, "%s: got %d", name, r);
    ck_assert_msg(strncmp(hf_buf_str(&told), want.p, want.n) == 0, "%s:\n  want %.*s\n  got  %s", name, (int)want.n,
                  want.p, hf_buf_str(&told));
    ck_assert_msg(issues.n_errors == 1, "%s: one thing is wrong, told are: %s", name, hf_buf_str(&told));
}
END_TEST

START_TEST(there_are_enough)
{
    ck_assert_int_ge(n_files, 100);
}
END_TEST

static void cases(TCase *tc)
{
    n_files = scandir(FOLDER, &files, only_yaml, alphasort);
    tcase_add_loop_test(tc, case_file, 0, n_files > 0 ? n_files : 0);
    tcase_add_test(tc, there_are_enough);
}
HF_TEST_MAIN("api/cases", cases)
