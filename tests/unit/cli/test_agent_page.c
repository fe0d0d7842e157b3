/* SPDX-License-Identifier: Apache-2.0 */
/* holdfast-agent(8) keeps up with the agent's own help: every flag and every variable. */
#include "agent/process/options.h"
#include "base/buf.h"
#include "os/file.h"
#include "os/fs_posix.h"
#include "support/check_main.h"

static struct hf_buf page = HF_BUF_INIT(1 << 20), help = HF_BUF_INIT(1 << 16);

/* "--state-dir" as it stands in the source of a page. */
static void escape(const char *name, size_t n, char text[200])
{
    size_t used = 0;

    for (size_t i = 0; i < n && used + 3 < 200; i++) {
        if (name[i] == '-')
            text[used++] = '\\';
        text[used++] = name[i];
    }
    text[used] = '\0';
}

START_TEST(every_flag_and_variable)
{
    unsigned flags = 0;

    ck_assert_int_eq(hf_file_read(hf_fs_posix(), "cmd/holdfast-agent/holdfast-agent.8", &page, NULL), 0);
    ck_assert_int_eq(hf_agent_options_help(&help), 0);
    for (const char *p = help.p; (p = strstr(p, "\n  --")) != NULL; flags++) {
        char name[200], variable[200] = "";
        p += 3;
        size_t n = strcspn(p, " \n"), line = strcspn(p, "\n");
        const char *bracket = memchr(p, '[', line);
        escape(p, n, name);
        ck_assert_msg(strstr(page.p, name) != NULL, "holdfast-agent.8 lacks %s", name);
        if (bracket != NULL)
            (void)snprintf(variable, sizeof(variable), "%.*s", (int)strcspn(bracket, "\n"), bracket);
        ck_assert_msg(strstr(page.p, variable) != NULL, "holdfast-agent.8 lacks %s of %s", variable, name);
    }
    ck_assert_uint_ge(flags, 16);
    hf_buf_done(&page);
    hf_buf_done(&help);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, every_flag_and_variable);
}
HF_TEST_MAIN("cli/agent_page", cases)
