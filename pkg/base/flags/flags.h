/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a service's command line and environment, and writes its help. Pure.
 *
 * Accepts `--name value`, `--name=value`, `-h` for `--help`. A flag wins over its variable; an empty variable counts as
 * not set. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Stores a value at `field` of `options`. `text`: NULL for a flag without value. -EINVAL, -ERANGE. */
typedef int hf_flag_set(void *options, void *field, const char *text);

struct hf_flag {
    const char *name;  /* "log-level" */
    const char *value; /* the value's name in the help; NULL: the flag has no value */
    const char *env;
    hf_flag_set *set;
    size_t field;
    const char *expected;
    const char *help;
};

struct hf_flag_table {
    const struct hf_flag *rows;
    size_t n;
};

hf_flag_set hf_flag_text;
hf_flag_set hf_flag_url;
hf_flag_set hf_flag_switch;
hf_flag_set hf_flag_true; /* bool: a flag without value; in a variable "true" or "false" */
hf_flag_set hf_flag_port; /* struct hf_listen_flag; expects HF_LISTEN_PORT_WANTED */
hf_flag_set hf_flag_log_level;

/* Reads variables, then arguments. -EINVAL: *err says what is wrong, or refers to --help. */
HF_MUST_USE int hf_flags_parse(const struct hf_flag_table *table, int argc, char *const *argv,
                               const char *(*getenv_fn)(const char *name), void *options, struct hf_err *err);

HF_MUST_USE int hf_flags_help(const struct hf_flag_table *table, struct hf_buf *out);
