/* SPDX-License-Identifier: Apache-2.0 */
/* What a pod does with each kind of host, as a golden table; the watch; the texts of unit and environment. */
#include <errno.h>
#include <string.h>

#include "host/plan.h"
#include "host/unit_text.h"
#include "host/watch.h"
#include "support/check_main.h"
#include "support/golden.h"

#define FINE (HF_HOSTLIFE_BUILD | HF_HOSTLIFE_SYSTEMD)
#define WHOLE (FINE | HF_HOSTLIFE_MARK | HF_HOSTLIFE_UNIT | HF_HOSTLIFE_SLOT)

static const struct {
    const char *name;
    unsigned has;
} hosts[] = {
    {"new", FINE},
    {"image without a build", HF_HOSTLIFE_SYSTEMD},
    {"talos, bottlerocket", FINE | HF_HOSTLIFE_UNSUITABLE},
    {"no systemd", HF_HOSTLIFE_BUILD},
    {"packaged unit", FINE | HF_HOSTLIFE_FOREIGN_UNIT},
    {"folder in memory", FINE | HF_HOSTLIFE_IN_MEMORY},
    {"read-only units", FINE | HF_HOSTLIFE_UNITS_READ_ONLY},
    {"noexec", FINE | HF_HOSTLIFE_NOEXEC},
    {"folder open to others", FINE | HF_HOSTLIFE_OPEN_FOLDER},
    {"selinux refuses", FINE | HF_HOSTLIFE_NO_LABELS},
    {"pod's secrets", FINE | HF_HOSTLIFE_POD_SECRETS},
    {"half installed", FINE | HF_HOSTLIFE_SLOT},
    {"unit lost in this boot", FINE | HF_HOSTLIFE_MARK | HF_HOSTLIFE_SLOT},
    {"unit lost by a reboot", FINE | HF_HOSTLIFE_MARK | HF_HOSTLIFE_SLOT | HF_HOSTLIFE_OTHER_BOOT},
    {"lost before", FINE | HF_HOSTLIFE_FORGOT},
    {"installed, other texts", WHOLE},
    {"installed", WHOLE | HF_HOSTLIFE_SAME},
    {"installed, rebooted", WHOLE | HF_HOSTLIFE_SAME | HF_HOSTLIFE_OTHER_BOOT},
    {"installed, no build in the image", (WHOLE | HF_HOSTLIFE_SAME) & ~(unsigned)HF_HOSTLIFE_BUILD},
    {"installed, systemd is silent", (WHOLE | HF_HOSTLIFE_SAME) & ~(unsigned)HF_HOSTLIFE_SYSTEMD},
    {"installed, now open to others", WHOLE | HF_HOSTLIFE_SAME | HF_HOSTLIFE_OPEN_FOLDER},
    {"unit lost, folder open to others", FINE | HF_HOSTLIFE_MARK | HF_HOSTLIFE_SLOT | HF_HOSTLIFE_OPEN_FOLDER},
    {"installed, now noexec", WHOLE | HF_HOSTLIFE_SAME | HF_HOSTLIFE_NOEXEC},
};

static void add(struct hf_buf *text, const char *name, const struct hf_hostlife_facts *facts)
{
    static const char *const lives[] = {"off", "auto", "host", "pod"};

    for (enum hf_hostlife life = HF_HOSTLIFE_OFF; life <= HF_HOSTLIFE_POD; life++) {
        struct hf_hostlife_plan plan = hf_hostlife_plan(life, facts);
        ck_assert_int_eq(hf_buf_addf(text, "%-34s %-5s %-8s %s\n", name, lives[life], hf_hostlife_act_name(plan.act),
                                     plan.reason != HF_HOSTLIFE_NO_REASON ? hf_hostlife_reason_name(plan.reason) : "-"),
                         0);
    }
}

START_TEST(each_kind_of_host)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(65536);
    struct hf_hostlife_facts facts = {.free_bytes = 100, .needed_bytes = 100};

    for (size_t i = 0; i < HF_LEN(hosts); i++) {
        facts.has = hosts[i].has;
        add(&text, hosts[i].name, &facts);
    }
    facts.free_bytes = 99;
    facts.has = FINE;
    add(&text, "new, too little space", &facts);
    facts.has = WHOLE | HF_HOSTLIFE_SAME;
    add(&text, "installed, too little space", &facts);
    ck_assert(hf_golden("host_plan.txt", hf_buf_view(&text)));
}
END_TEST

/* Whatever the facts: a plan that installs never has a reason against it, and a pod that stays knows why. */
START_TEST(every_set_of_facts)
{
    for (unsigned has = 0; has < 1u << HF_HOSTLIFE_FACTS; has++) {
        const struct hf_hostlife_facts facts = {.has = has, .free_bytes = 1};
        struct hf_hostlife_plan plan = hf_hostlife_plan(HF_HOSTLIFE_AUTO, &facts);
        bool stays = plan.act == HF_HOSTLIFE_STAY_POD || plan.act == HF_HOSTLIFE_REMOVE;
        ck_assert_msg(stays == (plan.reason != HF_HOSTLIFE_NO_REASON), "%x", has);
        ck_assert(plan.act != HF_HOSTLIFE_WATCH || (has & HF_HOSTLIFE_UNIT) != 0);
    }
}
END_TEST

static const struct {
    bool locked, wanted, acts;
    uint64_t second;
    enum hf_hostlife_step want;
} looks[] = {
    {true, false, false, 0, HF_HOSTLIFE_KEEP},       {false, false, false, 10, HF_HOSTLIFE_KEEP},
    {false, false, false, 69, HF_HOSTLIFE_KEEP},     {false, true, false, 70, HF_HOSTLIFE_KEEP}, /* starts again */
    {false, false, false, 100, HF_HOSTLIFE_KEEP},    {true, false, false, 130, HF_HOSTLIFE_KEEP},
    {false, false, false, 200, HF_HOSTLIFE_KEEP},    {false, false, false, 259, HF_HOSTLIFE_KEEP},
    {false, false, false, 260, HF_HOSTLIFE_STEP_IN}, {false, false, true, 262, HF_HOSTLIFE_KEEP},
    {false, true, true, 300, HF_HOSTLIFE_STEP_BACK}, {false, false, false, 302, HF_HOSTLIFE_KEEP},
    {false, false, false, 361, HF_HOSTLIFE_KEEP},    {false, false, false, 362, HF_HOSTLIFE_STEP_IN},
};

START_TEST(steps_in_after_a_minute)
{
    struct hf_hostlife_watch watch = {.gone_since_ns = HF_NEVER};

    for (size_t i = 0; i < HF_LEN(looks); i++) {
        const struct hf_hostlife_seen seen = {looks[i].locked, looks[i].wanted, looks[i].acts};
        enum hf_hostlife_step step = hf_hostlife_watch_step(&watch, &seen, looks[i].second * HF_NS_PER_S);
        ck_assert_msg(step == looks[i].want, "%zu: %d", i, step);
    }
}
END_TEST

START_TEST(the_units_text)
{
    static const struct {
        const char *paths;
        int want;
    } rows[] = {
        {"/opt:/var/x-1", 0}, {"/opt/a b", -EINVAL}, {"opt", -EINVAL}, {"/opt/%n", -EINVAL}, {"/o\n[x]", -EINVAL}};

    for (size_t i = 0; i < HF_LEN(rows); i++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
        int r = hf_hostlife_unit_text(HF_VIEW("[Service]\n"), rows[i].paths, &text, NULL);
        ck_assert_msg(r == rows[i].want, "%zu: %d", i, r);
        if (r == 0) {
            ck_assert(hf_hostlife_unit_is_ours(hf_buf_view(&text)));
            ck_assert_ptr_nonnull(strstr(hf_buf_str(&text), "ReadWritePaths=\nReadWritePaths= -/opt -/var/x-1\n"));
        }
    }
    ck_assert(!hf_hostlife_unit_is_ours(HF_VIEW("[Service]\n")));
}
END_TEST

START_TEST(the_environments_text)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(4096);
    char one[] = "--a=b c", two[] = "--d=\"e\\";
    char *const words[] = {one, two};

    ck_assert_int_eq(hf_hostlife_add_variable(&text, "A", "x \"y\" $z `w` \\", NULL), 0);
    ck_assert_int_eq(hf_hostlife_add_words(&text, "W", words, 2, NULL), 0);
    ck_assert_str_eq(hf_buf_str(&text), "A=\"x \\\"y\\\" \\$z \\`w\\` \\\\\"\n"
                                        "W=\"\\\"--a=b c\\\" \\\"--d=\\\\\\\"e\\\\\\\\\\\"\"\n");
    ck_assert_int_eq(hf_hostlife_add_variable(&text, "A", "x\ny", NULL), -EINVAL);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, each_kind_of_host);
    tcase_add_test(tc, every_set_of_facts);
    tcase_add_test(tc, steps_in_after_a_minute);
    tcase_add_test(tc, the_units_text);
    tcase_add_test(tc, the_environments_text);
}

HF_TEST_MAIN("host/plan", cases)
