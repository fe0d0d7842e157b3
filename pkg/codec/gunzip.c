/* SPDX-License-Identifier: Apache-2.0 */
#include "codec/gunzip.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <zlib.h>

enum { CHUNK_BYTES = 16384, GZIP_WINDOW = 15 + 16, GZIP_FIRST = 0x1f };

struct hf_gunzip {
    int (*write)(void *ctx, const void *bytes, size_t n);
    void *ctx;
    z_stream stream;
    bool ended;       /* the present member */
    unsigned members; /* that have begun */
    int r;            /* the first error */
    unsigned char out[CHUNK_BYTES];
};

struct hf_gunzip *hf_gunzip_new(int (*write)(void *ctx, const void *bytes, size_t n), void *ctx)
{
    struct hf_gunzip *gunzip = calloc(1, sizeof(*gunzip));

    if (gunzip == NULL)
        return NULL;
    gunzip->write = write;
    gunzip->ctx = ctx;
    if (inflateInit2(&gunzip->stream, GZIP_WINDOW) != Z_OK) {
        free(gunzip);
        return NULL;
    }
    return gunzip;
}

void hf_gunzip_free(struct hf_gunzip *gunzip)
{
    if (gunzip == NULL)
        return;
    (void)inflateEnd(&gunzip->stream);
    free(gunzip);
}

/* Decompresses until the output buffer is full or the input is used up. */
static int inflate_some(struct hf_gunzip *gunzip, struct hf_err *err)
{
    z_stream *stream = &gunzip->stream;

    stream->next_out = gunzip->out;
    stream->avail_out = sizeof(gunzip->out);
    int z = inflate(stream, Z_NO_FLUSH);
    size_t n = sizeof(gunzip->out) - stream->avail_out;
    if (z == Z_MEM_ERROR)
        return hf_err_set(err, ENOMEM, "out of memory");
    if (z != Z_OK && z != Z_STREAM_END && z != Z_BUF_ERROR)
        return hf_err_set(err, EBADMSG, "gzip: the data is damaged, or is not gzip");
    gunzip->ended = z == Z_STREAM_END;
    return n > 0 ? gunzip->write(gunzip->ctx, gunzip->out, n) : 0;
}

/* Begins the next member, whose first byte is `first`. */
static int begin_member(struct hf_gunzip *gunzip, unsigned char first, struct hf_err *err)
{
    if (gunzip->members > 0 && first != GZIP_FIRST)
        return hf_err_set(err, EBADMSG, "gzip: other bytes follow the compressed data");
    if (gunzip->members == HF_GUNZIP_MAX_MEMBERS)
        return hf_err_set(err, E2BIG, "gzip: more than %d members", HF_GUNZIP_MAX_MEMBERS);
    if (gunzip->members++ > 0 && inflateReset(&gunzip->stream) != Z_OK)
        return hf_err_set(err, EBADMSG, "gzip: a further member cannot begin");
    gunzip->ended = false;
    return 0;
}

int hf_gunzip_feed(struct hf_gunzip *gunzip, const void *bytes, size_t n, struct hf_err *err)
{
    z_stream *stream = &gunzip->stream;
    const unsigned char *at = bytes;

    while (gunzip->r == 0 && n > 0) {
        unsigned some = (unsigned)HF_MIN(n, (size_t)INT_MAX);
        if (gunzip->ended || gunzip->members == 0)
            gunzip->r = begin_member(gunzip, *at, err);
        if (gunzip->r < 0)
            break;
        stream->next_in = (unsigned char *)(uintptr_t)at;
        stream->avail_in = some;
        do {
            gunzip->r = inflate_some(gunzip, err);
        } while (gunzip->r == 0 && !gunzip->ended && (stream->avail_in > 0 || stream->avail_out == 0));
        at += some - stream->avail_in;
        n -= some - stream->avail_in;
    }
    return gunzip->r;
}

int hf_gunzip_finish(struct hf_gunzip *gunzip, struct hf_err *err)
{
    if (gunzip->r == 0 && !gunzip->ended)
        gunzip->r = hf_err_set(err, ENODATA, "gzip: the data ends too early");
    return gunzip->r;
}
