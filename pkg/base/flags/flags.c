/* SPDX-License-Identifier: Apache-2.0 */
#include "base/flags/flags.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/flags/listen.h"
#include "base/log.h"
#include "base/net/url_mask.h"
#include "base/parse.h"

int hf_flag_text(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return 0;
}

int hf_flag_url(HF_UNUSED void *options, void *field, const char *text)
{
    *(const char **)field = text;
    return strncmp(text, "http://", 7) == 0 || strncmp(text, "https://", 8) == 0 ? 0 : -EINVAL;
}

int hf_flag_switch(HF_UNUSED void *options, void *field, const char *text)
{
    *(bool *)field = strcmp(text, "on") == 0;
    return *(bool *)field || strcmp(text, "off") == 0 ? 0 : -EINVAL;
}

int hf_flag_true(HF_UNUSED void *options, void *field, const char *text)
{
    *(bool *)field = text == NULL || strcmp(text, "true") == 0;
    return *(bool *)field || strcmp(text, "false") == 0 ? 0 : -EINVAL;
}

int hf_flag_port(HF_UNUSED void *options, void *field, const char *text)
{
    struct hf_listen_flag *listen = field;
    uint64_t port = 0;

    listen->off = strcmp(text, "off") == 0;
    int r = listen->off ? 0 : hf_parse_u64(text, 0, UINT16_MAX, &port);
    listen->port = (uint16_t)port;
    listen->chosen = true;
    return r;
}

int hf_flag_log_level(HF_UNUSED void *options, void *field, const char *text)
{
    return hf_log_level_parse(text, field);
}

static int set(const struct hf_flag *flag, void *options, const char *text)
{
    return flag->set(options, (char *)options + flag->field, text);
}

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
        if (text != NULL && text[0] != '\0' && set(flag, options, text) < 0)
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
    return set(flag, options, value) < 0 ? wrong(flag, from, value, err) : 0;
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
