/* SPDX-License-Identifier: Apache-2.0 */
#include "api/telemetry.h"
#include "support/check_main.h"

static const struct {
    const char *text;
    unsigned want; /* 0: none */
} words[] = {
    {"trace", 1},      {"TRACE2", 2},  {"debug", 5},     {"Debug4", 8},   {"info", 9},   {"informational", 9},
    {"INFO3", 11},     {"notice", 10}, {"warn", 13},     {"WARNING", 13}, {"warn2", 14}, {"err", 17},
    {"error", 17},     {"crit", 18},   {"critical", 18}, {"alert", 19},   {"emerg", 21}, {"panic", 21},
    {"emergency", 21}, {"fatal", 21},  {"FATAL4", 24},   {"", 0},         {"2", 0},      {"notice2", 0},
    {"crit2", 0},      {"info5", 0},   {"info1", 0},     {"warnin", 0},   {"error ", 0},
};

START_TEST(parses)
{
    enum hf_severity got = (enum hf_severity)0;
    bool ok = hf_severity_parse(words[_i].text, strlen(words[_i].text), &got);

    ck_assert_msg(ok == (words[_i].want != 0) && (unsigned)got == words[_i].want, "%s: %u", words[_i].text,
                  (unsigned)got);
}
END_TEST

static const char *const names[] = {"info",      "trace",     "trace",     "trace",    "trace",    "debug",  "debug",
                                    "debug",     "debug",     "info",      "notice",   "notice",   "notice", "warning",
                                    "warning",   "warning",   "warning",   "error",    "critical", "alert",  "alert",
                                    "emergency", "emergency", "emergency", "emergency"};

START_TEST(has_a_name)
{
    enum hf_severity again;

    ck_assert_str_eq(hf_severity_name((enum hf_severity)_i), names[_i]);
    ck_assert(hf_severity_parse(names[_i], strlen(names[_i]), &again));
    ck_assert_int_eq(again, hf_severity_floor((enum hf_severity)_i));
    ck_assert(_i == 0 || (int)again <= _i);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, parses, 0, (int)HF_LEN(words));
    tcase_add_loop_test(tc, has_a_name, 0, (int)HF_LEN(names));
}
HF_TEST_MAIN("api/severity", cases)
