/* SPDX-License-Identifier: Apache-2.0 */
#define HF_ERR_C
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "base/encoding/cut.h"

HF_PRINTF(3, 0)
static int set(struct hf_err *err, int code, const char *format, va_list args)
{
    struct hf_err fresh = {.code = code};

    if (err == NULL)
        return -code;
    if (vsnprintf(fresh.cause, sizeof(fresh.cause), format, args) >= (int)sizeof(fresh.cause))
        hf_cut_end(fresh.cause, sizeof(fresh.cause));
    *err = fresh;
    return -code;
}

int hf_err_set(struct hf_err *err, int code, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int r = set(err, code, format, args);
    va_end(args);
    return r;
}

int hf_err_sys(struct hf_err *err, int r, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)set(err, -r, format, args);
    va_end(args);
    if (err != NULL) {
        size_t used = strlen(err->cause);
        (void)snprintf(err->cause + used, sizeof(err->cause) - used, ": %s", strerror(-r));
    }
    return r;
}

int hf_err_wrap(struct hf_err *err, int r, const char *format, ...)
{
    char chain[2 * sizeof(err->where) + 2];
    va_list args;

    if (err == NULL)
        return r;
    if (err->code == 0) {
        err->code = -r;
        (void)snprintf(err->cause, sizeof(err->cause), "%s", strerror(-r));
    }
    va_start(args, format);
    (void)vsnprintf(chain, sizeof(err->where), format, args);
    va_end(args);
    if (err->where[0] != '\0') {
        size_t used = strlen(chain);
        (void)snprintf(chain + used, sizeof(chain) - used, ": %s", err->where);
    }
    memcpy(err->where, chain, sizeof(err->where) - 1);
    err->where[sizeof(err->where) - 1] = '\0';
    return r;
}

const char *hf_err_text(const struct hf_err *err, char *text, size_t n)
{
    if (err->where[0] == '\0')
        (void)snprintf(text, n, "%s", err->cause);
    else
        (void)snprintf(text, n, "%s: %s", err->where, err->cause);
    return text;
}
