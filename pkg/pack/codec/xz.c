/* .xz through liblzma: LZMA2 with at most three filters before it, threaded framing or not.
 *
 * Parameters: threaded, check (1 byte each), number of filters before LZMA2, for each its id (1) and its start offset or distance
 * (4); then dictionary size (4), lc, lp, pb, mode, match finder (1 each), nice length, depth (4 each), block size (8). */
#include <errno.h>
#include <lzma.h>
#include <string.h>

#include "base/macros.h"
#include "pack/codec/stage.h"

enum { BEFORE_MAX = 3, MEMORY_MAX = 1 << 30 };

struct recipe {
    bool threaded;
    lzma_check check;
    unsigned before_n;
    lzma_filter filters[BEFORE_MAX + 2];
    lzma_options_bcj bcj[BEFORE_MAX];
    lzma_options_delta delta[BEFORE_MAX];
    lzma_options_lzma lzma;
    uint64_t block_bytes;
};

static int failed(lzma_ret ret, struct hf_err *err)
{
    if (ret == LZMA_MEM_ERROR)
        return hf_err_set(err, ENOMEM, "liblzma: out of memory");
    if (ret == LZMA_MEMLIMIT_ERROR)
        return hf_err_set(err, E2BIG, "liblzma: more memory needed than is allowed");
    return hf_err_set(err, EBADMSG, "liblzma: error %d: damaged, or parameters it cannot use", (int)ret);
}

static void put(unsigned char **p, uint64_t value, unsigned n)
{
    for (; n > 0; n--, value >>= 8)
        *(*p)++ = (unsigned char)value;
}

static uint64_t get(const unsigned char **p, unsigned n)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < n; i++)
        value |= (uint64_t) * (*p)++ << 8 * i;
    return value;
}

static void add_before(struct recipe *recipe, lzma_vli id, uint32_t value)
{
    unsigned i = recipe->before_n++;

    recipe->filters[i].id = id;
    if (id == LZMA_FILTER_DELTA) {
        recipe->delta[i] = (lzma_options_delta){.type = LZMA_DELTA_TYPE_BYTE, .dist = value};
        recipe->filters[i].options = &recipe->delta[i];
    } else {
        recipe->bcj[i] = (lzma_options_bcj){.start_offset = value};
        recipe->filters[i].options = &recipe->bcj[i];
    }
}

static void end_filters(struct recipe *recipe)
{
    recipe->filters[recipe->before_n] = (lzma_filter){LZMA_FILTER_LZMA2, &recipe->lzma};
    recipe->filters[recipe->before_n + 1] = (lzma_filter){LZMA_VLI_UNKNOWN, NULL};
}

static int recipe_parse(const struct pack_setup *setup, struct recipe *recipe, struct hf_err *err)
{
    const unsigned char *p = setup->params;

    memset(recipe, 0, sizeof(*recipe));
    if (setup->params_n < 3 || p[2] > BEFORE_MAX || setup->params_n != 3u + 5u * p[2] + 25u)
        return hf_err_set(err, EBADMSG, "xz parameters of a wrong length");
    recipe->threaded = *p++ != 0;
    recipe->check = (lzma_check)*p++;
    for (unsigned n = *p++; n > 0; n--) {
        lzma_vli id = *p++;
        uint32_t value = (uint32_t)get(&p, 4);
        if (id < LZMA_FILTER_DELTA || id > 11)
            return hf_err_set(err, EOPNOTSUPP, "xz filter %llu is not known", (unsigned long long)id);
        add_before(recipe, id, value);
    }
    recipe->lzma.dict_size = (uint32_t)get(&p, 4);
    recipe->lzma.lc = (uint32_t)get(&p, 1);
    recipe->lzma.lp = (uint32_t)get(&p, 1);
    recipe->lzma.pb = (uint32_t)get(&p, 1);
    recipe->lzma.mode = (lzma_mode)get(&p, 1);
    recipe->lzma.mf = (lzma_match_finder)get(&p, 1);
    recipe->lzma.nice_len = (uint32_t)get(&p, 4);
    recipe->lzma.depth = (uint32_t)get(&p, 4);
    recipe->block_bytes = get(&p, 8);
    end_filters(recipe);
    return 0;
}

static void recipe_format(const struct recipe *recipe, struct pack_setup *setup)
{
    unsigned char *p = setup->params;

    setup->codec = PACK_CODEC_XZ;
    put(&p, recipe->threaded, 1);
    put(&p, recipe->check, 1);
    put(&p, recipe->before_n, 1);
    for (unsigned i = 0; i < recipe->before_n; i++) {
        bool delta = recipe->filters[i].id == LZMA_FILTER_DELTA;
        put(&p, recipe->filters[i].id, 1);
        put(&p, delta ? recipe->delta[i].dist : recipe->bcj[i].start_offset, 4);
    }
    put(&p, recipe->lzma.dict_size, 4);
    put(&p, recipe->lzma.lc, 1);
    put(&p, recipe->lzma.lp, 1);
    put(&p, recipe->lzma.pb, 1);
    put(&p, recipe->lzma.mode, 1);
    put(&p, recipe->lzma.mf, 1);
    put(&p, recipe->lzma.nice_len, 4);
    put(&p, recipe->lzma.depth, 4);
    put(&p, recipe->block_bytes, 8);
    setup->params_n = (unsigned)(p - setup->params);
}

/* ---- putting together ----------------------------------------------------------------------------------------------- */

struct making {
    lzma_stream stream;
    struct pack_sink out;
    unsigned char buffer[32768];
};

static lzma_mt threads_of(const struct recipe *recipe)
{
    /* One thread: the bytes are those of any number, and the memory is the least. */
    return (lzma_mt){
        .threads = 1, .block_size = recipe->block_bytes, .filters = recipe->filters, .check = recipe->check};
}

static int start(struct making *making, struct recipe *recipe, struct hf_err *err)
{
    lzma_mt threads = threads_of(recipe);
    lzma_ret ret = recipe->threaded ? lzma_stream_encoder_mt(&making->stream, &threads)
                                    : lzma_stream_encoder(&making->stream, recipe->filters, recipe->check);

    return ret == LZMA_OK ? 0 : failed(ret, err);
}

static uint64_t xz_memory(const struct pack_setup *setup)
{
    struct recipe recipe;

    if (recipe_parse(setup, &recipe, NULL) < 0)
        return UINT64_MAX;
    lzma_mt threads = threads_of(&recipe);
    uint64_t bytes =
        recipe.threaded ? lzma_stream_encoder_mt_memusage(&threads) : lzma_raw_encoder_memusage(recipe.filters);
    return bytes == UINT64_MAX ? bytes : bytes + sizeof(struct making);
}

static int xz_make(const struct pack_setup *setup, const struct pack_sink *out, void **ret_state, struct hf_err *err)
{
    struct recipe recipe;
    int r = recipe_parse(setup, &recipe, err);

    if (r < 0)
        return r;
    if (xz_memory(setup) > MEMORY_MAX)
        return hf_err_set(err, E2BIG, "xz with these parameters needs more than %d MiB", MEMORY_MAX >> 20);
    struct making *making = calloc(1, sizeof(*making));
    if (making == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    making->stream = (lzma_stream)LZMA_STREAM_INIT;
    making->out = *out;
    r = start(making, &recipe, err);
    if (r < 0) {
        free(making);
        return r;
    }
    *ret_state = making;
    return 0;
}

static int step(struct making *making, lzma_action action, bool *ret_end, struct hf_err *err)
{
    making->stream.next_out = making->buffer;
    making->stream.avail_out = sizeof(making->buffer);
    lzma_ret ret = lzma_code(&making->stream, action);
    size_t n = sizeof(making->buffer) - making->stream.avail_out;
    *ret_end = ret == LZMA_STREAM_END;
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return failed(ret, err);
    return n > 0 ? making->out.write(making->out.ctx, making->buffer, n, err) : 0;
}

static int xz_feed(void *state, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    struct making *making = state;
    bool end;
    int r = 0;

    making->stream.next_in = bytes;
    making->stream.avail_in = n;
    while (r == 0 && making->stream.avail_in > 0)
        r = step(making, LZMA_RUN, &end, err);
    return r;
}

static int xz_finish(void *state, struct hf_err *err)
{
    bool end = false;
    int r = 0;

    while (r == 0 && !end)
        r = step(state, LZMA_FINISH, &end, err);
    return r;
}

static void xz_done(void *state)
{
    struct making *making = state;

    lzma_end(&making->stream);
    free(making);
}

/* ---- taking apart --------------------------------------------------------------------------------------------------- */

struct taking {
    lzma_stream stream;
    struct pack_reader in;
    unsigned char buffer[65536];
};

static int take(struct taking *taking, const struct pack_decode *decode, bool *ret_end, struct hf_err *err)
{
    int r = pack_reader_fill(&taking->in, err);

    if (r < 0)
        return r;
    taking->stream.next_in = taking->in.buffer + taking->in.pos;
    taking->stream.avail_in = taking->in.n - taking->in.pos;
    taking->stream.next_out = taking->buffer;
    taking->stream.avail_out = sizeof(taking->buffer);
    lzma_ret ret = lzma_code(&taking->stream, r == 0 ? LZMA_FINISH : LZMA_RUN);
    taking->in.pos = taking->in.n - taking->stream.avail_in;
    size_t n = sizeof(taking->buffer) - taking->stream.avail_out;
    if (ret != LZMA_OK && ret != LZMA_STREAM_END)
        return failed(ret, err);
    *ret_end = ret == LZMA_STREAM_END;
    return n > 0 ? decode->out.write(decode->out.ctx, taking->buffer, n, err) : 0;
}

static int xz_decode(const struct pack_decode *decode, uint64_t *ret_n, struct hf_err *err)
{
    struct taking *taking = calloc(1, sizeof(*taking));
    bool end = false;

    if (taking == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    taking->stream = (lzma_stream)LZMA_STREAM_INIT;
    pack_reader_init(&taking->in, decode->from, decode->offset, decode->offset + decode->n);
    lzma_ret ret = lzma_stream_decoder(&taking->stream, decode->memory_max != 0 ? decode->memory_max : MEMORY_MAX, 0);
    int r = ret == LZMA_OK ? 0 : failed(ret, err);
    while (r == 0 && !end) {
        r = pack_decode_wanted(decode, err);
        if (r == 0)
            r = take(taking, decode, &end, err);
    }
    if (r == 0)
        r = pack_decode_memory(decode, lzma_memusage(&taking->stream) + sizeof(*taking), err);
    if (r == 0)
        *ret_n = pack_reader_tell(&taking->in) - decode->offset;
    lzma_end(&taking->stream);
    free(taking);
    return r;
}

static const char *xz_version(void)
{
    static _Thread_local char text[40];

    (void)snprintf(text, sizeof(text), "liblzma %s", lzma_version_string());
    return text;
}

const struct pack_encoder_ops pack_xz_ops = {
    .make = xz_make,
    .feed = xz_feed,
    .finish = xz_finish,
    .done = xz_done,
    .memory = xz_memory,
    .decode = xz_decode,
    .version = xz_version,
};

/* ---- finding the parameters ----------------------------------------------------------------------------------------- */

struct seen {
    struct recipe recipe;
    size_t payload_at; /* of the first block's LZMA2 data */
    uint64_t first_block;
};

static void keep_filters(struct seen *seen, lzma_filter *filters)
{
    bool ok = true;
    unsigned n = 0;

    for (; filters[n].id != LZMA_VLI_UNKNOWN; n++) {
        void *options = filters[n].options;
        if (filters[n].id == LZMA_FILTER_LZMA2)
            seen->recipe.lzma = *(lzma_options_lzma *)options;
        else if (seen->recipe.before_n == BEFORE_MAX || filters[n].id > 11)
            ok = false;
        else if (filters[n].id == LZMA_FILTER_DELTA)
            add_before(&seen->recipe, filters[n].id, ((lzma_options_delta *)options)->dist);
        else
            add_before(&seen->recipe, filters[n].id, options != NULL ? ((lzma_options_bcj *)options)->start_offset : 0);
        free(options);
    }
    if (!ok)
        seen->recipe.lzma.dict_size = 0;
}

/* What the head of the first block says. */
static bool look(const struct pack_search *search, struct seen *seen)
{
    lzma_filter filters[LZMA_FILTERS_MAX + 1];
    lzma_stream_flags flags;
    lzma_block block = {.version = 1, .filters = filters};

    memset(seen, 0, sizeof(*seen));
    if (search->packed_n < LZMA_STREAM_HEADER_SIZE + 4 ||
        lzma_stream_header_decode(&flags, search->packed) != LZMA_OK || search->packed[LZMA_STREAM_HEADER_SIZE] == 0)
        return false;
    const unsigned char *head = search->packed + LZMA_STREAM_HEADER_SIZE;
    block.check = flags.check;
    block.header_size = lzma_block_header_size_decode(head[0]);
    if (search->packed_n < LZMA_STREAM_HEADER_SIZE + block.header_size ||
        lzma_block_header_decode(&block, NULL, head) != LZMA_OK)
        return false;
    keep_filters(seen, filters);
    seen->recipe.check = flags.check;
    seen->recipe.threaded = block.uncompressed_size != LZMA_VLI_UNKNOWN;
    seen->first_block = seen->recipe.threaded ? block.uncompressed_size : search->plain_n;
    seen->payload_at = LZMA_STREAM_HEADER_SIZE + block.header_size;
    return seen->recipe.lzma.dict_size != 0;
}

/* lc, lp, pb from the first chunk that states them. */
static void look_props(const struct pack_search *search, struct seen *seen)
{
    const unsigned char *p = search->packed + seen->payload_at;

    seen->recipe.lzma.lc = 3;
    seen->recipe.lzma.lp = 0;
    seen->recipe.lzma.pb = 2;
    if (search->packed_n - seen->payload_at < 6 || p[0] < 0xc0 || p[5] > 224)
        return;
    seen->recipe.lzma.pb = p[5] / 45;
    seen->recipe.lzma.lp = p[5] % 45 / 9;
    seen->recipe.lzma.lc = p[5] % 9;
}

/* Does the first chunk come out the same? Much cheaper than the whole: presets differ before the end of one. */
static bool starts_alike(const struct pack_search *search, const struct seen *seen, const lzma_filter *filters)
{
    enum { TRIAL = 3 << 20, CHUNK = 60000 /* packed; full ones have some more */ };
    lzma_stream stream = LZMA_STREAM_INIT;
    unsigned char out[16384];
    const unsigned char *want = search->packed + seen->payload_at;
    size_t left = search->packed_n - seen->payload_at;
    bool same = lzma_raw_encoder(&stream, filters) == LZMA_OK;
    size_t n = (size_t)HF_MIN(HF_MIN((uint64_t)TRIAL, seen->first_block), (uint64_t)search->plain_n);

    stream.next_in = search->plain;
    stream.avail_in = n;
    /* A whole block may be ended here as well; otherwise chunks that are not complete stay inside. */
    lzma_action action = n == seen->first_block ? LZMA_FINISH : LZMA_RUN;
    for (lzma_ret ret = LZMA_OK; same && ret == LZMA_OK &&
                                 want - search->packed < (ptrdiff_t)seen->payload_at + CHUNK &&
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

/* The size of blocks also decides how much room their heads have: where there is only one, it is the usual size. */
static uint64_t block_bytes_of(const struct pack_search *search, const struct seen *seen)
{
    uint64_t usual = HF_MAX(3 * (uint64_t)seen->recipe.lzma.dict_size, UINT64_C(1) << 20);

    return seen->first_block < search->plain_n || search->plain_n > usual ? seen->first_block : usual;
}

/* The usual one is proven at once where that takes little more than the trial. */
static bool try_preset(const struct pack_search *search, struct seen *seen, uint32_t preset)
{
    enum { USUAL = 6, SHORT = 3 << 20 };
    lzma_options_lzma options;

    if (lzma_lzma_preset(&options, preset))
        return false;
    seen->recipe.lzma.mode = options.mode;
    seen->recipe.lzma.nice_len = options.nice_len;
    seen->recipe.lzma.mf = options.mf;
    seen->recipe.lzma.depth = options.depth;
    end_filters(&seen->recipe);
    return (preset == USUAL && search->plain_n <= SHORT) || starts_alike(search, seen, seen->recipe.filters);
}

int pack_xz_find(const struct pack_search *search, struct pack_setup *ret_setup, struct hf_err *err)
{
    /* Others are like one of these but for the size of the dictionary, which is told. */
    static const uint32_t presets[] = {6, 3, 0, 1, 2, 4, 5, 6 | LZMA_PRESET_EXTREME, 3 | LZMA_PRESET_EXTREME};
    struct pack_setup setup = {.codec = PACK_CODEC_XZ};
    struct seen seen;
    int r;

    if (!look(search, &seen))
        return hf_err_set(err, ENOENT, "not a block of known filters");
    look_props(search, &seen);
    seen.recipe.block_bytes = block_bytes_of(search, &seen);
    for (size_t i = 0; i < HF_LEN(presets); i++) {
        if (!try_preset(search, &seen, presets[i]))
            continue;
        recipe_format(&seen.recipe, &setup);
        r = pack_encoder_makes(&setup, search, err);
        if (r < 0)
            return r;
        if (r > 0) {
            *ret_setup = setup;
            return 0;
        }
    }
    return hf_err_set(err, ENOENT, "no known encoder");
}
