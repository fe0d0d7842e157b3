/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/codec/codec.h"

#include <errno.h>

#include "base/macros.h"

void pack_reader_init(struct pack_reader *reader, const struct hf_delta_old *from, uint64_t at, uint64_t end)
{
    reader->from = from;
    reader->at = at;
    reader->end = end;
    reader->pos = reader->n = 0;
}

int pack_reader_fill(struct pack_reader *reader, struct hf_err *err)
{
    if (reader->pos < reader->n)
        return 1;
    if (reader->at >= reader->end)
        return 0;
    size_t want = (size_t)HF_MIN((uint64_t)sizeof(reader->buffer), reader->end - reader->at);
    ssize_t n = reader->from->pread(reader->from->ctx, reader->buffer, want, reader->at);
    if (n < 0)
        return hf_err_sys(err, (int)n, "read compressed bytes at offset %llu", (unsigned long long)reader->at);
    reader->pos = 0;
    reader->n = (size_t)n;
    reader->at += (uint64_t)n;
    return n > 0;
}

uint64_t pack_reader_offset(const struct pack_reader *reader)
{
    return reader->at - (reader->n - reader->pos);
}

static int buf_add(void *ctx, const void *bytes, size_t n, uint64_t *ret_at, struct hf_err *err)
{
    struct hf_buf *buf = ctx;
    int r;

    *ret_at = buf->n;
    r = hf_buf_add(buf, bytes, n);
    return r < 0 ? hf_err_sys(err, r, "keep %zu bytes in memory", n) : 0;
}

static ssize_t buf_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct hf_buf *buf = ctx;
    struct hf_delta_memory memory = {(const unsigned char *)buf->p, buf->n};

    return hf_delta_memory_pread(&memory, bytes, n, offset);
}

struct pack_store pack_store_buf(struct hf_buf *buf)
{
    return (struct pack_store){buf, buf_add, buf_pread};
}

int pack_decode_memory(const struct pack_decode *decode, uint64_t bytes, struct hf_err *err)
{
    if (decode->memory_max != 0 && bytes > decode->memory_max)
        return hf_err_set(err, E2BIG, "decompressing needs %llu bytes of memory; the limit is %llu",
                          (unsigned long long)bytes, (unsigned long long)decode->memory_max);
    if (decode->memory != NULL)
        *decode->memory = HF_MAX(*decode->memory, bytes);
    return 0;
}

int pack_decode_check_cancel(const struct pack_decode *decode, struct hf_err *err)
{
    if (decode->cancel != NULL && atomic_load(decode->cancel))
        return hf_err_set(err, ECANCELED, "cancelled");
    return 0;
}

/* Polynomial edb88320 (reflected), four bits at a time: a small table, and fast enough beside deflate. */
uint32_t pack_crc32(uint32_t crc, const unsigned char *bytes, size_t n)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };

    crc = ~crc;
    for (size_t i = 0; i < n; i++) {
        crc ^= bytes[i];
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}
