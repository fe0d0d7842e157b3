/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flags/flags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/net/url_mask.h"

/* The value of a flag as an error shows it: of a URL without its secrets. */
static const char *show(const struct hf_flag *flag, const char *text, char shown[HF_URL_MASKED])
{
    return strcmp(flag->value != NULL ? flag->value : "", "URL") == 0 ? hf_url_mask(text, shown, HF_URL_MASKED) : text;
}

static int wrong(const struct hf_flag *flag, const char *from, const char *text, struct hf_err *err)
{
    char shown[HF_URL_MASKED];

    return hf_err_set(err, EINVAL, "%s '%.80s': expected %s", from, show(flag, text, shown), flag->expected);
}

static int take_environment(const struct hf_flag_table *table, const char *(*getenv_fn)(const char *name),
                            void *options, struct hf_err *err)
{
    for (size_t i = 0; i < table->n; i++) {
        const struct hf_flag *flag = &table->rows[i];
        const char *text = flag->env == NULL ? NULL : getenv_fn(flag->env);
        if (text != NULL && text[0] != '\0' && table->set(options, i, text) < 0)
            return wrong(flag, flag->env, text, err);
    }
    return 0;
}

/* Returns the row of the flag that an argument names, or the number of rows. *ret_value: the text after '='; NULL:
 * there is none. */
static size_t find(const struct hf_flag_table *table, const char *argument, const char **ret_value)
{
    size_t n = strcspn(argument, "="), i = 0;

    *ret_value = argument[n] == '=' ? argument + n + 1 : NULL;
    while (i < table->n && (strlen(table->rows[i].name) != n || strncmp(table->rows[i].name, argument, n) != 0))
        i++;
    return i;
}

/* Takes the argument argv[*at], and the next one if that is its value. */
static int take_argument(const struct hf_flag_table *table, int argc, char *const *argv, int *at, void *options,
                         struct hf_err *err)
{
    const char *value = NULL, *argument = strcmp(argv[*at], "-h") == 0 ? "--help" : argv[*at];
    size_t row = strncmp(argument, "--", 2) == 0 ? find(table, argument + 2, &value) : table->n;
    char from[64];

    if (row == table->n)
        return hf_err_set(err, EINVAL, "unknown argument '%.80s': see --help", argument);
    const struct hf_flag *flag = &table->rows[row];
    if (flag->value == NULL && value != NULL)
        return hf_err_set(err, EINVAL, "--%s takes no value", flag->name);
    if (flag->value != NULL && value == NULL && *at + 1 < argc)
        value = argv[++*at];
    if (flag->value != NULL && (value == NULL || value[0] == '\0'))
        return hf_err_set(err, EINVAL, "--%s needs a value: %s", flag->name, flag->expected);
    (void)snprintf(from, sizeof(from), "--%s", flag->name);
    return table->set(options, row, value) < 0 ? wrong(flag, from, value, err) : 0;
}

int hf_flags_parse(const struct hf_flag_table *table, int argc, char *const *argv,
                   const char *(*getenv_fn)(const char *name), void *options, struct hf_err *err)
{
    int r = take_environment(table, getenv_fn, options, err);

    for (int at = 1; at < argc && r == 0; at++)
        r = take_argument(table, argc, argv, &at, options, err);
    return r;
}

int hf_flags_help(const struct hf_flag_table *table, struct hf_buf *out)
{
    int r = 0;

    for (size_t i = 0; i < table->n && r == 0; i++) {
        const struct hf_flag *flag = &table->rows[i];
        char head[40];
        (void)snprintf(head, sizeof(head), "--%s%s%s", flag->name, flag->value != NULL ? " " : "",
                       flag->value != NULL ? flag->value : "");
        r = hf_buf_addf(out, "  %-24s %s", head, flag->help);
        if (r == 0 && flag->env != NULL)
            r = hf_buf_addf(out, " [%s]", flag->env);
        if (r == 0)
            r = hf_buf_add_str(out, "\n");
    }
    return r;
}
