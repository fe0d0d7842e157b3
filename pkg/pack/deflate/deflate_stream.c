/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/deflate/deflate.h"

int deflate_stream_decode(const struct pack_decode *decode, struct deflate_stream *stream, uint64_t *ret_n,
                          struct hf_err *err)
{
    int r = pack_decode_memory(decode, stream->memory + 8 * (uint64_t)DEFLATE_TOKENS_MAX, err);

    stream->out = &decode->out;
    pack_reader_init(&stream->reader.in, decode->from, decode->offset, decode->offset + decode->n);
    do {
        if (r == 0)
            r = pack_decode_check_cancel(decode, err);
        if (r == 0)
            r = deflate_read_block(&stream->reader, &stream->block, err);
        if (r == 0)
            r = stream->take_block(stream, err);
    } while (r == 0 && !stream->block.last);
    if (r == 0)
        r = stream->end(stream, err);
    if (r == 0 && decode->gzip_tail)
        r = deflate_reader_tail(&stream->reader, stream->crc, stream->length, err);
    if (r == 0)
        *ret_n = deflate_reader_end(&stream->reader) - decode->offset;
    free(stream->block.tokens);
    return r;
}
