/* SPDX-License-Identifier: Apache-2.0 */
/* From the label that a container left on a file to the one that systemd needs. */
#include "host/label.h"

#include "support/check_main.h"

static const struct {
    const char *current, *type;
    const char *want; /* NULL: it stays */
} rows[] = {
    {"", "bin_t", NULL}, /* SELinux is off */
    {"system_u:object_r:container_file_t:s0:c12,c34", "bin_t", "system_u:object_r:bin_t:s0"},
    {"system_u:object_r:var_lib_t:s0", "bin_t", "system_u:object_r:bin_t:s0"},
    {"system_u:object_r:bin_t:s0", "bin_t", NULL},
    {"unconfined_u:object_r:bin_t:s0", "bin_t", NULL},
    {"system_u:object_r:bin_t:s0:c1,c2", "bin_t", "system_u:object_r:bin_t:s0"},
    {"system_u:object_r:etc_t:s2-s15:c0.c1023", "systemd_unit_file_t", "system_u:object_r:systemd_unit_file_t:s2"},
    {"system_u:object_r:var_lib_t", "bin_t", "system_u:object_r:bin_t"}, /* a policy without levels */
    {"system_u:object_r:bin_t", "bin_t", NULL},
    {"system_u:object_r:bin_t:", "bin_t", NULL},
    {"nonsense", "bin_t", "system_u:object_r:bin_t"}, /* the kernel judges */
    {":::", "bin_t", "system_u:object_r:bin_t"},
};

START_TEST(labels)
{
    char label[HF_HOSTLIFE_LABEL] = "?";
    bool got = hf_hostlife_label(hf_view_of(rows[_i].current), rows[_i].type, label);

    ck_assert_msg(got == (rows[_i].want != NULL), "%s: %s", rows[_i].current, label);
    if (got)
        ck_assert_str_eq(label, rows[_i].want);
}
END_TEST

static const struct {
    const char *label, *type; /* NULL: none */
} types[] = {
    {"system_u:object_r:systemd_unit_file_t:s0", "systemd_unit_file_t"}, /* /etc/systemd/system of Fedora */
    {"system_u:object_r:systemd_unit_t:s0", "systemd_unit_t"},           /* of Debian 12 */
    {"system_u:object_r:systemd_unit_t", "systemd_unit_t"},
    {"", NULL},
    {"unlabeled", NULL},
    {"a:b:", NULL},
    {"a:b::s0", NULL},
};

START_TEST(type_of_a_label)
{
    char type[HF_HOSTLIFE_LABEL];
    bool named = hf_hostlife_label_type(hf_view_of(types[_i].label), type);

    ck_assert_msg(named == (types[_i].type != NULL), "%s: %s", types[_i].label, type);
    if (named)
        ck_assert_str_eq(type, types[_i].type);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, type_of_a_label, 0, HF_LEN(types));
    tcase_add_loop_test(tc, labels, 0, HF_LEN(rows));
}

HF_TEST_MAIN("host/label", cases)
