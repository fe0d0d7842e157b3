/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field/nearest.h"
#include "cli/args.h"

#include <errno.h>

#include "base/buf.h"
#include "support/check_main.h"

static const struct hf_cli_option options[] = {
    HF_CLI_JSON("as JSON"),
    {.name = "jobs", .value = "N", .letter = 'j', .help = "workers"},
    {.name = "artifact", .value = "SPEC", .repeats = true, .help = "what"},
    {.name = "name", .value = "NAME", .required = true, .help = "name"},
    {.name = NULL},
};
static const struct hf_cli_command command = {
    .name = "test", .args = "OLD NEW", .summary = "", .options = options, .min_words = 1, .max_words = 2};

enum { MAX_ARGV = 8 };

static const struct {
    const char *argv[MAX_ARGV];
    const char *want; /* what was understood, or the error */
} cases_[] = {
    {{"--name", "n", "a"}, "name=n words=a"},
    {{"a", "--name=n", "b"}, "name=n words=a,b"},
    {{"--name=", "a"}, "name= words=a"},
    {{"-j", "4", "--name=n", "a"}, "name=n jobs=4 words=a"},
    {{"-j4", "--name=n", "a"}, "name=n jobs=4 words=a"},
    {{"--jobs=4", "--json", "--name=n", "a"}, "name=n jobs=4 json words=a"},
    {{"--name", "--json", "a"}, "name=--json words=a"},
    {{"-o", "json", "--name=n", "a"}, "name=n json words=a"},
    {{"-ojson", "--name=n", "a"}, "name=n json words=a"},
    {{"--output=json", "--json", "--json", "--name=n", "a"}, "name=n json words=a"},
    {{"-o", "yaml", "--name=n", "a"}, "option '--output' takes 'json' only, got 'yaml'"},
    {{"--name=n", "a", "-o"}, "option '--output' needs a value: json"},
    {{"--name=n", "--", "--json", "-"}, "name=n words=--json,-"},
    {{"--name=n", "-"}, "name=n words=-"},
    {{"--artifact=a", "--artifact=b", "--name=n", "x"}, "name=n artifact=a artifact=b words=x"},
    {{"--name=n"}, "arguments are missing: OLD NEW"},
    {{"--name=n", "a", "b", "c"}, "unexpected argument 'c'"},
    {{"a"}, "option '--name NAME' is missing"},
    {{"--name=n", "--name=m", "a"}, "option '--name' occurs twice"},
    {{"a", "--name"}, "option '--name' needs a value: NAME"},
    {{"a", "--json=yes"}, "option '--json' takes no value"},
    {{"a", "--naem=n"}, "unknown option '--naem'; did you mean '--name'?"},
    {{"a", "--nam", "n"}, "unknown option '--nam'; did you mean '--name'?"},
    {{"a", "--completely-different"}, "unknown option '--completely-different'"},
    {{"a", "-x"}, "unknown option '-x'"},
};

static void describe(const struct hf_cli_args *args, struct hf_buf *out)
{
    const char *value;

    ck_assert_int_eq(hf_buf_addf(out, "name=%s ", hf_cli_value(args, "name", "?")), 0);
    if (hf_cli_value(args, "jobs", NULL) != NULL)
        ck_assert_int_eq(hf_buf_addf(out, "jobs=%s ", hf_cli_value(args, "jobs", NULL)), 0);
    if (hf_cli_flag(args, "json"))
        ck_assert_int_eq(hf_buf_add_str(out, "json "), 0);
    for (size_t i = 0; (value = hf_cli_nth_value(args, "artifact", i)) != NULL; i++)
        ck_assert_int_eq(hf_buf_addf(out, "artifact=%s ", value), 0);
    ck_assert_int_eq(hf_buf_add_str(out, "words="), 0);
    for (size_t i = 0; i < args->n_words; i++)
        ck_assert_int_eq(hf_buf_addf(out, "%s%s", i > 0 ? "," : "", args->words[i]), 0);
    ck_assert_ptr_null(args->words[args->n_words]);
}

START_TEST(lines)
{
    _cleanup_(hf_buf_done) struct hf_buf got = HF_BUF_INIT(1000);
    const char *words[MAX_ARGV + 1];
    struct hf_err err = HF_ERR_INIT;
    struct hf_cli_args args;
    char text[600];
    size_t n = 0;

    while (n < MAX_ARGV && cases_[_i].argv[n] != NULL)
        n++;
    int r = hf_cli_parse(&command, cases_[_i].argv, n, words, &args, &err);
    if (r == 0)
        describe(&args, &got);
    else
        ck_assert_int_eq(hf_buf_add_str(&got, hf_err_text(&err, text, sizeof(text))), 0);
    ck_assert(r == 0 || r == -EINVAL);
    ck_assert_str_eq(hf_buf_str(&got), cases_[_i].want);
}
END_TEST

START_TEST(too_many_options)
{
    const char *argv[HF_CLI_MAX_OPTIONS + 1], *words[HF_CLI_MAX_OPTIONS + 2];
    struct hf_err err = HF_ERR_INIT;
    struct hf_cli_args args;

    for (size_t i = 0; i < HF_LEN(argv); i++)
        argv[i] = "--artifact=x";
    ck_assert_int_eq(hf_cli_parse(&command, argv, HF_LEN(argv), words, &args, &err), -EINVAL);
}
END_TEST

START_TEST(rows_are_found_by_all_their_words)
{
    const struct hf_cli all = {.commands = hf_cli_commands, .n_commands = hf_cli_n_commands};
    static const char *const help[] = {"help", "x"}, *const nothing[] = {"hel"};
    size_t used = 0;

    ck_assert_str_eq(hf_cli_find(&all, help, 2, &used)->name, "help");
    ck_assert_uint_eq(used, 1);
    ck_assert_ptr_null(hf_cli_find(&all, nothing, 1, &used));
}
END_TEST

static const struct {
    const char *typed;
    const char *want;
} slips[] = {
    {"hlep", "help"},
    {"helpp", "help"},
    {"verison", "version"},
    {"stauts", "status"},
    {"lnit", "lint"},
    {"xyz", NULL},
    {"", NULL},
    {"a", NULL},
    {"halp", "help"},
    {"statusss", "status"},
};

START_TEST(nearest_name)
{
    static const char *const names[] = {"help", "version", "status", "lint"};
    struct hf_nearest nearest = {.typed = slips[_i].typed};
    char endless[200];

    for (size_t i = 0; i < HF_LEN(names); i++)
        hf_nearest_try(&nearest, names[i]);
    memset(endless, 'x', sizeof(endless) - 1);
    endless[sizeof(endless) - 1] = '\0';
    hf_nearest_try(&nearest, endless);
    ck_assert_msg(nearest.best == slips[_i].want ||
                      (nearest.best != NULL && slips[_i].want != NULL && strcmp(nearest.best, slips[_i].want) == 0),
                  "'%s' is nearest to '%s'", slips[_i].typed, nearest.best);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, lines, 0, (int)HF_LEN(cases_));
    tcase_add_test(tc, too_many_options);
    tcase_add_test(tc, rows_are_found_by_all_their_words);
    tcase_add_loop_test(tc, nearest_name, 0, (int)HF_LEN(slips));
}
HF_TEST_MAIN("cli/args", cases)
