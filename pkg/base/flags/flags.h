/* SPDX-License-Identifier: Apache-2.0 */
/* base/flags/flags.h - parses the command line and the environment of a service, and formats its help, from one table
 * of flags.
 *
 * Accepts `--name value`, `--name=value`, and `-h` for `--help`. A flag takes precedence over the environment variable
 * of the same row. An empty variable counts as not set. Pure; reads environment variables only with `getenv_fn`. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

struct hf_flag {
    const char *name;     /* name without the dashes, such as "log-level" */
    const char *value;    /* placeholder of the value in the help; NULL if the flag takes no value */
    const char *env;      /* name of the environment variable; NULL if there is none */
    const char *expected; /* form of the value, for errors, such as "an absolute path" */
    const char *help;     /* one line of help; the default stands in parentheses at its end */
};

struct hf_flag_table {
    const struct hf_flag *rows;
    size_t n;
    /* Stores the value of row `i` in `options`. `text` is NULL for a flag without a value. Returns 0, or -EINVAL if the
     * value does not have the expected form. The text stays valid as long as argv and the environment. */
    int (*set)(void *options, size_t i, const char *text);
};

/* Stores the values of all variables and then of all arguments. -EINVAL: an argument or a variable is wrong. *err then
 * has its name and the expected form; if no flag has this name, *err refers to --help. */
HF_MUST_USE int hf_flags_parse(const struct hf_flag_table *table, int argc, char *const *argv,
                               const char *(*getenv_fn)(const char *name), void *options, struct hf_err *err);

/* Appends one line of help for each row. Returns 0, or an error of hf_buf_addf(). */
HF_MUST_USE int hf_flags_help(const struct hf_flag_table *table, struct hf_buf *out);
