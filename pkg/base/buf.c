/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void hf_buf_done(struct hf_buf *buf)
{
    free(hf_steal(buf->p));
    buf->n = 0;
    buf->cap = 0;
}

void hf_buf_wipe(struct hf_buf *buf)
{
    if (buf->p != NULL)
        explicit_bzero(buf->p, buf->cap);
    hf_buf_done(buf);
}

void hf_buf_wipe_text(char **text)
{
    if (*text != NULL)
        explicit_bzero(*text, strlen(*text));
    free(*text);
    *text = NULL;
}

void hf_buf_clear(struct hf_buf *buf)
{
    hf_buf_cut(buf, 0);
}

void hf_buf_cut(struct hf_buf *buf, size_t n)
{
    buf->n = n;
    if (buf->p != NULL)
        buf->p[n] = '\0';
}

struct hf_view hf_buf_view(const struct hf_buf *buf)
{
    return (struct hf_view){hf_buf_str(buf), buf->n};
}

const char *hf_buf_str(const struct hf_buf *buf)
{
    return buf->p != NULL ? buf->p : "";
}

int hf_buf_reserve(struct hf_buf *buf, size_t more)
{
    if (more > buf->max || buf->n > buf->max - more)
        return -E2BIG;
    size_t need = buf->n + more + 1;
    if (need <= buf->cap)
        return 0;
    size_t cap = HF_MAX(need, HF_MIN(buf->cap * 2, buf->max + 1));
    cap = HF_MAX(cap, (size_t)64);
    char *p = realloc(buf->p, cap);
    if (p == NULL)
        return -ENOMEM;
    p[buf->n] = '\0';
    buf->p = p;
    buf->cap = cap;
    return 0;
}

int hf_buf_add(struct hf_buf *buf, const void *bytes, size_t n)
{
    int r = hf_buf_reserve(buf, n);
    if (r < 0)
        return r;
    if (n > 0)
        memcpy(buf->p + buf->n, bytes, n);
    buf->n += n;
    buf->p[buf->n] = '\0';
    return 0;
}

int hf_buf_add_str(struct hf_buf *buf, const char *text)
{
    return hf_buf_add(buf, text, strlen(text));
}

int hf_buf_addf(struct hf_buf *buf, const char *format, ...)
{
    va_list args, again;

    va_start(args, format);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    int r = n < 0 ? -EINVAL : hf_buf_reserve(buf, (size_t)n);
    if (r == 0) {
        (void)vsnprintf(buf->p + buf->n, (size_t)n + 1, format, again);
        buf->n += (size_t)n;
    }
    va_end(again);
    return r;
}

void hf_buf_consume(struct hf_buf *buf, size_t n)
{
    n = HF_MIN(n, buf->n);
    if (n == 0)
        return;
    memmove(buf->p, buf->p + n, buf->n - n + 1);
    buf->n -= n;
}

char *hf_buf_take(struct hf_buf *buf)
{
    if (buf->p == NULL && hf_buf_reserve(buf, 0) < 0)
        return NULL;
    char *p = buf->p;
    buf->p = NULL;
    buf->n = 0;
    buf->cap = 0;
    return p;
}
