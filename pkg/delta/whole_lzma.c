/* SPDX-License-Identifier: Apache-2.0 */
/* Method 3: the new file alone, for when the old one does not help. Each block of 4 MiB is a raw LZMA2 stream,
 * preceded by its length. */
#include <errno.h>
#include <lzma.h>

#include "delta/create.h"
#include "delta/methods.h"

enum { DICTIONARY = 1 << 20 };

/* ---- apply ----------------------------------------------------------------------------------------------------- */

struct lzma_block_decoder {
    lzma_stream stream;
    unsigned char in[16384], out[32768];
};

static int unpack_some(struct delta_apply_state *apply, struct lzma_block_decoder *u, uint64_t *left,
                       struct hf_err *err)
{
    if (u->stream.avail_in == 0 && *left > 0) {
        size_t part = (size_t)HF_MIN(*left, (uint64_t)sizeof(u->in));
        int r = delta_input_read(apply->input, u->in, part, err);
        if (r < 0)
            return r;
        *left -= part;
        u->stream.next_in = u->in;
        u->stream.avail_in = part;
    }
    u->stream.next_out = u->out;
    u->stream.avail_out = sizeof(u->out);
    lzma_ret ret = lzma_code(&u->stream, LZMA_RUN);
    size_t made = sizeof(u->out) - u->stream.avail_out;
    if (ret == LZMA_MEM_ERROR)
        return delta_no_memory(err);
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return hf_err_set(err, EBADMSG, "delta is damaged: LZMA error %d", (int)ret);
    if (made == 0 && *left == 0 && u->stream.avail_in == 0 && ret != LZMA_STREAM_END)
        return hf_err_set(err, EBADMSG, "delta is damaged: a block ends too early");
    if (made > 0) {
        int r = delta_output_write(&apply->output, u->out, made, err);
        if (r < 0)
            return r;
    }
    return ret == LZMA_STREAM_END;
}

static int apply_block(struct delta_apply_state *apply, struct lzma_block_decoder *u, uint64_t n, uint64_t end,
                       struct hf_err *err)
{
    lzma_options_lzma options = {.dict_size = DICTIONARY};
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    int r;

    if (lzma_raw_decoder(&u->stream, filters) != LZMA_OK)
        return delta_no_memory(err);
    u->stream.avail_in = 0;
    while ((r = unpack_some(apply, u, &n, err)) == 0)
        if (apply->output.written > end)
            break;
    if (r >= 0 && (apply->output.written != end || n > 0 || u->stream.avail_in > 0))
        r = hf_err_set(err, EBADMSG, "delta is damaged: a block has the wrong length");
    return r < 0 ? r : 0;
}

int delta_apply_lzma(struct delta_apply_state *apply, struct hf_err *err)
{
    struct lzma_block_decoder *u = malloc(sizeof(*u));
    uint64_t start = 0, end, n;
    int r = u != NULL ? 0 : delta_no_memory(err);

    if (u != NULL)
        u->stream = (lzma_stream)LZMA_STREAM_INIT;
    for (; r == 0 && start < apply->header.new_size; start = end) {
        end = HF_MIN(start + DELTA_BLOCK, apply->header.new_size);
        if ((r = delta_input_varint(apply->input, apply->input->left, &n, err)) < 0)
            break;
        if (delta_apply_skips_block(apply, start))
            r = delta_input_skip(apply->input, n, err);
        else if ((r = apply_block(apply, u, n, end, err)) == 0)
            r = delta_apply_checkpoint(apply, err);
    }
    if (u != NULL)
        lzma_end(&u->stream);
    free(u);
    return r;
}

/* ---- create ---------------------------------------------------------------------------------------------------- */

int delta_make_lzma(const struct delta_make *make, struct hf_buf *body, struct hf_err *err)
{
    lzma_options_lzma options;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &options}, {LZMA_VLI_UNKNOWN, NULL}};
    size_t bound = lzma_stream_buffer_bound(DELTA_BLOCK);
    unsigned char *packed = malloc(bound), length[10];
    int r = packed != NULL && !lzma_lzma_preset(&options, 6 | LZMA_PRESET_EXTREME) ? 0 : -ENOMEM;

    /* A small file gets a smaller dictionary than the decoder allows, to save the encoder's memory. */
    options.dict_size = (uint32_t)HF_MAX(HF_MIN(make->new_n, (size_t)DICTIONARY), (size_t)LZMA_DICT_SIZE_MIN);
    for (size_t start = 0; r == 0 && start < make->new_n; start += DELTA_BLOCK) {
        size_t n = 0, part = HF_MIN((size_t)DELTA_BLOCK, make->new_n - start);
        if (lzma_raw_buffer_encode(filters, NULL, make->new_bytes + start, part, packed, &n, bound) != LZMA_OK) {
            r = -ENOMEM;
            break;
        }
        r = hf_buf_add(body, length, delta_put_varint(length, n));
        if (r == 0)
            r = hf_buf_add(body, packed, n);
    }
    free(packed);
    return r < 0 ? delta_no_memory(err) : 0;
}
