/* SPDX-License-Identifier: Apache-2.0 */
/* Command line, environment and help of a service, by one table. Pure.
 *
 * `--name value`, `--name=value`, `-h` for `--help`. A flag wins over its variable; an empty variable is not set. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Stores a value at `field` of `options`. `text`: NULL without a value; of argv or environment. -EINVAL, -ERANGE. */
typedef int hf_flag_set(void *options, void *field, const char *text);

struct hf_flag {
    const char *name;  /* "log-level" */
    const char *value; /* its name in help; or NULL */
    const char *env;   /* variable; or NULL */
    hf_flag_set *set;
    size_t field;         /* offset in options */
    const char *expected; /* for errors, "an absolute path" */
    const char *help;     /* one line; ends in the default in parentheses */
};

struct hf_flag_table {
    const struct hf_flag *rows;
    size_t n;
};

hf_flag_set hf_flag_text;      /* const char * */
hf_flag_set hf_flag_url;       /* const char *, http(s) */
hf_flag_set hf_flag_switch;    /* bool: "on" or "off" */
hf_flag_set hf_flag_true;      /* bool: no value; in a variable "true" or "false" */
hf_flag_set hf_flag_port;      /* struct hf_listen_flag, HF_LISTEN_PORT_WANTED */
hf_flag_set hf_flag_log_level; /* enum hf_log_level */

/* Variables, then arguments. -EINVAL: *err says what, or refers to --help. */
HF_MUST_USE int hf_flags_parse(const struct hf_flag_table *table, int argc, char *const *argv,
                               const char *(*getenv_fn)(const char *name), void *options, struct hf_err *err);

/* Errors of hf_buf_addf(). */
HF_MUST_USE int hf_flags_help(const struct hf_flag_table *table, struct hf_buf *out);
