/* SPDX-License-Identifier: Apache-2.0 */
/* Deflate from outside, taken apart in both forms: what comes apart by its tokens is put together again as it was. And tokens and
 * marks from outside, fed to the encoders. */
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "pack/codec/stage.h"
#include "support/delta_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

static int add(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    int r = hf_buf_add(ctx, bytes, n);

    return r < 0 ? hf_err_sys(err, r, "too much") : 0;
}

static int encode(const struct pack_setup *setup, const void *bytes, size_t n, struct hf_buf *out)
{
    const struct pack_sink sink = {out, add};
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    struct hf_err err = HF_ERR_INIT;
    int r = pack_encoder_new(setup, &sink, &encoder, &err);

    if (r == 0)
        r = pack_encoder_feed(encoder, bytes, n, &err);
    return r == 0 ? pack_encoder_finish(encoder, &err) : r;
}

static void take_apart(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf content = HF_BUF_INIT(4 << 20), tokens = HF_BUF_INIT(8 << 20),
                                         again = HF_BUF_INIT(4 << 20);
    const struct pack_setup setup = {.codec = PACK_CODEC_DEFLATE_TOKENS};
    struct delta_io packed = {.p = bytes, .n = n};
    const struct hf_delta_old from = delta_io_old(&packed);
    struct pack_decode decode = {.codec = PACK_CODEC_DEFLATE, .from = &from, .n = n, .out = {&content, add}};
    struct hf_err err = HF_ERR_INIT;
    uint64_t one = 0, two = 0;
    int r = pack_decode_some(&decode, &one, &err);

    decode.codec = PACK_CODEC_DEFLATE_TOKENS;
    decode.out.ctx = &tokens;
    int r2 = pack_decode_some(&decode, &two, &err);
    if (r != 0 || r2 != 0)
        return;
    if (one != two || one > n)
        abort();
    if (encode(&setup, tokens.p, tokens.n, &again) < 0)
        abort();
    /* The same content; the same bytes, unless they hold what no encoder writes. */
    struct delta_io packed_again = delta_io_of(&again);
    const struct hf_delta_old from_again = delta_io_old(&packed_again);
    _cleanup_(hf_buf_done) struct hf_buf content_again = HF_BUF_INIT(4 << 20);
    decode = (struct pack_decode){
        .codec = PACK_CODEC_DEFLATE, .from = &from_again, .n = again.n, .out = {&content_again, add}};
    if (pack_decode_run(&decode, &err) < 0 || content_again.n != content.n ||
        (content.n > 0 && memcmp(content.p, content_again.p, content.n) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf out = HF_BUF_INIT(1 << 20);
    struct pack_setup setup = {.codec = PACK_CODEC_DEFLATE_TOKENS, .gzip_tail = true};

    if (n < 4)
        return 0;
    switch (bytes[0] % 4) {
    case 0:
        take_apart(bytes + 1, n - 1);
        break;
    case 1:
        (void)encode(&setup, bytes + 1, n - 1, &out);
        break;
    default:
        setup = (struct pack_setup){.codec = PACK_CODEC_DEFLATE, .params_n = 2};
        setup.params[0] = bytes[0] >> 2 & 3;
        setup.params[1] = bytes[1] % 10;
        setup.marks = bytes + 3;
        setup.marks_n = HF_MIN((size_t)bytes[2], n - 3);
        (void)encode(&setup, bytes + 3 + setup.marks_n, n - 3 - setup.marks_n, &out);
        break;
    }
    return 0;
}
