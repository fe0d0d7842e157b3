/* SPDX-License-Identifier: Apache-2.0 */
/* The parameters of xz, read from the stream's heads and proven by compressing the content again. */
#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "pack/codec/stage.h"
#include "pack/codec/xz.h"
#include "pack/codec/xz_params.h"

struct xz_traits {
    struct pack_xz_params params;
    size_t payload_at;    /* offset of the first block's LZMA2 data */
    uint64_t first_block; /* bytes of content in the first block */
};

/* Copies the filters of a block header and frees their options. An unknown filter leaves dict_size 0. */
static void keep_filters(struct xz_traits *traits, lzma_filter *filters)
{
    bool ok = true;
    unsigned n = 0;

    for (; filters[n].id != LZMA_VLI_UNKNOWN; n++) {
        void *options = filters[n].options;
        if (filters[n].id == LZMA_FILTER_LZMA2)
            traits->params.lzma = *(lzma_options_lzma *)options;
        else if (traits->params.filters_n == XZ_FILTERS_MAX || filters[n].id > 11)
            ok = false;
        else if (filters[n].id == LZMA_FILTER_DELTA)
            pack_xz_add_filter(&traits->params, filters[n].id, ((lzma_options_delta *)options)->dist);
        else
            pack_xz_add_filter(&traits->params, filters[n].id,
                               options != NULL ? ((lzma_options_bcj *)options)->start_offset : 0);
        free(options);
    }
    if (!ok)
        traits->params.lzma.dict_size = 0;
}

/* Reads the stream header and the first block header. Returns false if they are not of a kind that pack_xz_ops can
 * encode. */
static bool read_heads(const struct pack_search *search, struct xz_traits *traits)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    lzma_stream_flags flags;
    lzma_block block = {.version = 1, .filters = filters};

    memset(traits, 0, sizeof(*traits));
    if (search->packed_n < LZMA_STREAM_HEADER_SIZE + 4 ||
        lzma_stream_header_decode(&flags, search->packed) != LZMA_OK || search->packed[LZMA_STREAM_HEADER_SIZE] == 0)
        return false;
    const unsigned char *head = search->packed + LZMA_STREAM_HEADER_SIZE;
    block.check = flags.check;
    block.header_size = lzma_block_header_size_decode(head[0]);
    if (search->packed_n < LZMA_STREAM_HEADER_SIZE + block.header_size ||
        lzma_block_header_decode(&block, NULL, head) != LZMA_OK)
        return false;
    keep_filters(traits, filters);
    traits->params.check = flags.check;
    traits->params.threaded = block.uncompressed_size != LZMA_VLI_UNKNOWN;
    traits->first_block = traits->params.threaded ? block.uncompressed_size : search->plain_n;
    traits->payload_at = LZMA_STREAM_HEADER_SIZE + block.header_size;
    return traits->params.lzma.dict_size != 0;
}

/* Reads lc, lp and pb from the first LZMA2 chunk. */
static void read_properties(const struct pack_search *search, struct xz_traits *traits)
{
    const unsigned char *p = search->packed + traits->payload_at;

    traits->params.lzma.lc = 3;
    traits->params.lzma.lp = 0;
    traits->params.lzma.pb = 2;
    if (search->packed_n - traits->payload_at < 6 || p[0] < 0xc0 || p[5] > 224)
        return;
    traits->params.lzma.pb = p[5] / 45;
    traits->params.lzma.lp = p[5] % 45 / 9;
    traits->params.lzma.lc = p[5] % 9;
}

/* Encodes the first chunk and compares. Much cheaper than the whole stream, and presets differ within one chunk. */
static bool starts_alike(const struct pack_search *search, const struct xz_traits *traits, const lzma_filter *filters)
{
    enum { TRIAL = 3 << 20, CHUNK = 60000 /* compressed bytes; a full chunk has a few more */ };
    lzma_stream stream = LZMA_STREAM_INIT;
    unsigned char out[16384];
    const unsigned char *want = search->packed + traits->payload_at;
    size_t left = search->packed_n - traits->payload_at;
    bool same = lzma_raw_encoder(&stream, filters) == LZMA_OK;
    size_t n = (size_t)HF_MIN(HF_MIN((uint64_t)TRIAL, traits->first_block), (uint64_t)search->plain_n);

    stream.next_in = search->plain;
    stream.avail_in = n;
    /* Finish only if the trial covers the whole block; otherwise the encoder keeps its incomplete chunk. */
    lzma_action action = n == traits->first_block ? LZMA_FINISH : LZMA_RUN;
    for (lzma_ret ret = LZMA_OK; same && ret == LZMA_OK &&
                                 want - search->packed < (ptrdiff_t)traits->payload_at + CHUNK &&
                                 (action == LZMA_FINISH || stream.avail_in > 0);) {
        stream.next_out = out;
        stream.avail_out = sizeof(out);
        ret = lzma_code(&stream, action);
        size_t got = sizeof(out) - stream.avail_out;
        same = (ret == LZMA_OK || ret == LZMA_STREAM_END) && got <= left && memcmp(want, out, got) == 0;
        want += got;
        left -= HF_MIN(got, left);
    }
    lzma_end(&stream);
    return same;
}

/* Returns the encoder's block size. It also determines the length of the block header, so a single block needs the
 * right one: the default of xz. */
static uint64_t block_bytes_of(const struct pack_search *search, const struct xz_traits *traits)
{
    uint64_t usual = HF_MAX(3 * (uint64_t)traits->params.lzma.dict_size, UINT64_C(1) << 20);

    return traits->first_block < search->plain_n || search->plain_n > usual ? traits->first_block : usual;
}

/* Sets the parameters of a preset and runs the trial. Short content with the default preset skips it: the complete
 * comparison costs little more. */
static bool try_preset(const struct pack_search *search, struct xz_traits *traits, uint32_t preset)
{
    enum { USUAL = 6, SHORT = 3 << 20 };
    lzma_options_lzma options;

    if (lzma_lzma_preset(&options, preset))
        return false;
    traits->params.lzma.mode = options.mode;
    traits->params.lzma.nice_len = options.nice_len;
    traits->params.lzma.mf = options.mf;
    traits->params.lzma.depth = options.depth;
    pack_xz_end_filters(&traits->params);
    return (preset == USUAL && search->plain_n <= SHORT) || starts_alike(search, traits, traits->params.filters);
}

int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err)
{
    /* Most common first. The other presets differ from these only in the dictionary size, which the header states. */
    static const uint32_t presets[] = {6, 3, 0, 1, 2, 4, 5, 6 | LZMA_PRESET_EXTREME, 3 | LZMA_PRESET_EXTREME};
    struct pack_setup setup = {.codec = PACK_CODEC_XZ};
    struct xz_traits traits;
    int r;

    if (!read_heads(search, &traits))
        return hf_err_set(err, ENOENT, "the first xz block has unknown filters");
    read_properties(search, &traits);
    traits.params.block_bytes = block_bytes_of(search, &traits);
    for (size_t i = 0; i < HF_LEN(presets); i++) {
        if (!try_preset(search, &traits, presets[i]))
            continue;
        pack_xz_format(&traits.params, &setup);
        r = pack_encoder_makes(&setup, search, err);
        if (r < 0)
            return r;
        if (r > 0) {
            *ret_setup = setup;
            return 0;
        }
    }
    return hf_err_set(err, ENOENT, "no encoder setup makes the same bytes");
}
