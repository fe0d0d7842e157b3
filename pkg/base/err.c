#define HF_ERR_C
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Formats a text; one that is too long ends behind a whole word and with "...". A word of more than a quarter of the
 * room is cut where the room ends. */
HF_PRINTF(3, 0)
static void format_cut(char *text, size_t n, const char *format, va_list args)
{
    static const char more[] = "...";
    int wanted = vsnprintf(text, n, format, args);

    if (wanted < 0 || (size_t)wanted < n)
        return;
    size_t at = n - sizeof(more);
    while (at > n - n / 4 && text[at] != ' ')
        at--;
    if (text[at] != ' ')
        at = n - sizeof(more);
    while (at > 0 && ((unsigned char)text[at] & 0xc0) == 0x80) /* within a character */
        at--;
    memcpy(text + at, more, sizeof(more));
}

HF_PRINTF(3, 0)
static int set(struct hf_err *err, int code, const char *format, va_list args)
{
    if (err != NULL) {
        err->code = code;
        err->where[0] = '\0';
        format_cut(err->cause, sizeof(err->cause), format, args);
    }
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
