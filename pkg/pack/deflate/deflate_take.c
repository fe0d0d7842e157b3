/* A stream read block by block, whatever is made of its blocks. */
#include "pack/deflate/deflate.h"

int deflate_take(const struct pack_decode *decode, struct deflate_taking *taking, uint64_t *ret_n, struct hf_err *err)
{
    int r = pack_decode_memory(decode, taking->memory + 8 * (uint64_t)DEFLATE_TOKENS_MAX, err);

    taking->out = &decode->out;
    pack_reader_init(&taking->reader.in, decode->from, decode->offset, decode->offset + decode->n);
    do {
        if (r == 0)
            r = pack_decode_wanted(decode, err);
        if (r == 0)
            r = deflate_read_block(&taking->reader, &taking->block, err);
        if (r == 0)
            r = taking->take_block(taking, err);
    } while (r == 0 && !taking->block.last);
    if (r == 0)
        r = taking->end(taking, err);
    if (r == 0 && decode->gzip_tail)
        r = deflate_reader_tail(&taking->reader, taking->crc, taking->length, err);
    if (r == 0)
        *ret_n = deflate_reader_end(&taking->reader) - decode->offset;
    free(taking->block.tokens);
    return r;
}
