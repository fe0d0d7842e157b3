#include "delta/coder.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

#include "delta/cm.h"
#include "delta/create.h"
#include "delta/stream.h"

enum {
    WINDOW_LOG = 19,
    FEW = 4096,       /* bytes that are mixed in any case; */
    FEW_SHARE = 32,   /* and one for so many of new */
    MIXED_MAX = 8192, /* tables are as for so many at most */
};

/* ---- mixing: literals without old ------------------------------------------------------------------------------ */

struct mixing {
    struct delta_stream stream; /* aligned like a cache line */
    struct delta_cm cm;
};

static struct mixing *mixing_new(void)
{
    return aligned_alloc(_Alignof(struct mixing), sizeof(struct mixing));
}

/* A block that makes so much of new has few bytes, when it has no more than these. */
static uint64_t few_of(uint64_t made)
{
    return HF_MAX((uint64_t)FEW, made / FEW_SHARE);
}

static void mixing_start(struct mixing *m, uint64_t made)
{
    delta_stream_init(&m->stream, HF_MIN(few_of(made), (uint64_t)MIXED_MAX));
    delta_stream_reset(&m->stream, 0);
}

/* ---- unpacking ------------------------------------------------------------------------------------------------- */

struct delta_unpacker {
    struct delta_input *input;
    enum delta_coder coder;
    struct mixing *mixing;
    ZSTD_DCtx *context;
    uint64_t left; /* bytes of the block still in the patch, for zstd */
    ZSTD_inBuffer in;
    unsigned char packed[16384];
};

struct delta_unpacker *delta_unpacker_new(struct delta_input *input)
{
    struct delta_unpacker *u = malloc(sizeof(*u));

    if (u != NULL) {
        u->input = input;
        u->mixing = NULL;
        u->context = NULL;
    }
    return u;
}

static void drop_coders(struct delta_unpacker *u)
{
    (void)ZSTD_freeDCtx(u->context);
    free(u->mixing);
    u->context = NULL;
    u->mixing = NULL;
}

void delta_unpacker_free(struct delta_unpacker *u)
{
    if (u != NULL)
        drop_coders(u);
    free(u);
}

static int start_mixing(struct delta_unpacker *u, uint64_t n, uint64_t made, struct hf_err *err)
{
    if (u->mixing == NULL) {
        drop_coders(u);
        if ((u->mixing = mixing_new()) == NULL)
            return delta_no_memory(err);
    }
    mixing_start(u->mixing, made);
    delta_cm_start_decoding(&u->mixing->cm, u->input, n, err);
    return u->mixing->cm.failed;
}

static int start_zstd(struct delta_unpacker *u, uint64_t n, struct hf_err *err)
{
    if (u->context == NULL) {
        drop_coders(u);
        if ((u->context = ZSTD_createDCtx()) == NULL)
            return delta_no_memory(err);
        (void)ZSTD_DCtx_setParameter(u->context, ZSTD_d_windowLogMax, WINDOW_LOG);
    }
    (void)ZSTD_DCtx_reset(u->context, ZSTD_reset_session_only);
    u->left = n;
    u->in = (ZSTD_inBuffer){u->packed, 0, 0};
    return 0;
}

int delta_unpacker_start(struct delta_unpacker *u, enum delta_coder coder, uint64_t n, uint64_t made,
                         struct hf_err *err)
{
    u->coder = coder;
    return coder == DELTA_CODER_MIXING ? start_mixing(u, n, made, err) : start_zstd(u, n, err);
}

static int read_mixed(struct mixing *m, enum delta_list list, unsigned char *to, size_t n)
{
    for (size_t i = 0; i < n && m->cm.failed == 0; i++)
        to[i] = (unsigned char)delta_stream_list(&m->stream, &m->cm, list, 0);
    return m->cm.failed;
}

static int read_zstd(struct delta_unpacker *u, unsigned char *to, size_t n, struct hf_err *err)
{
    ZSTD_outBuffer out = {to, n, 0};

    while (out.pos < n) {
        size_t before = out.pos;
        if (u->in.pos == u->in.size && u->left > 0) {
            size_t part = (size_t)HF_MIN((uint64_t)sizeof(u->packed), u->left);
            int r = delta_input_read(u->input, u->packed, part, err);
            if (r < 0)
                return r;
            u->left -= part;
            u->in = (ZSTD_inBuffer){u->packed, part, 0};
        }
        size_t in_before = u->in.pos, result = ZSTD_decompressStream(u->context, &out, &u->in);
        if (ZSTD_isError(result))
            return hf_err_set(err, EBADMSG, "delta is damaged: %s", ZSTD_getErrorName(result));
        if (out.pos == before && u->in.pos == in_before && u->left == 0)
            return hf_err_set(err, EBADMSG, "delta is damaged: a block ends too early");
    }
    return 0;
}

int delta_unpacker_read(struct delta_unpacker *u, enum delta_list list, unsigned char *to, size_t n, struct hf_err *err)
{
    return u->coder == DELTA_CODER_MIXING ? read_mixed(u->mixing, list, to, n) : read_zstd(u, to, n, err);
}

int delta_unpacker_finish(struct delta_unpacker *u, struct hf_err *err)
{
    if (u->coder == DELTA_CODER_MIXING)
        return delta_cm_finish(&u->mixing->cm);
    if (u->left > sizeof(u->packed))
        return hf_err_set(err, EBADMSG, "delta is damaged: a block is too long");
    return delta_input_read(u->input, u->packed, (size_t)u->left,
                            err); /* the frame's end mark may be all that is left */
}

/* ---- packing --------------------------------------------------------------------------------------------------- */

struct delta_packer {
    bool quick;
    ZSTD_CCtx *context;
};

struct delta_packer *delta_packer_new(bool quick)
{
    struct delta_packer *p = calloc(1, sizeof(*p));

    if (p != NULL)
        p->quick = quick;
    return p;
}

void delta_packer_free(struct delta_packer *p)
{
    if (p != NULL)
        (void)ZSTD_freeCCtx(p->context);
    free(p);
}

void delta_lists_clear(struct delta_lists *lists)
{
    hf_buf_clear(&lists->bytes);
    hf_buf_clear(&lists->shares);
}

void delta_lists_done(struct delta_lists *lists)
{
    hf_buf_done(&lists->bytes);
    hf_buf_done(&lists->shares);
}

int delta_lists_add(struct delta_lists *lists, enum delta_list list, const void *bytes, size_t n)
{
    const struct delta_share share = {list, n};
    int r = hf_buf_add(&lists->shares, &share, sizeof(share));

    return r < 0 ? r : hf_buf_add(&lists->bytes, bytes, n);
}

static int add_packed(struct hf_buf *body, enum delta_coder coder, const void *packed, size_t n)
{
    unsigned char number[10];
    int r = hf_buf_add(body, number, delta_put_varint(number, (uint64_t)n << 1 | coder));

    return r < 0 ? r : hf_buf_add(body, packed, n);
}

static int pack_mixed(const struct delta_lists *lists, uint64_t made, struct hf_buf *body)
{
    _cleanup_(hf_buf_done) struct hf_buf packed = HF_BUF_INIT(SIZE_MAX / 2);
    const struct delta_share *shares = (const struct delta_share *)(const void *)lists->shares.p;
    const unsigned char *at = (const unsigned char *)lists->bytes.p;
    struct mixing *m = mixing_new();
    int r = m != NULL ? 0 : -ENOMEM;

    if (m != NULL) {
        mixing_start(m, made);
        delta_cm_start_encoding(&m->cm, &packed);
        for (size_t i = 0; i < lists->shares.n / sizeof(*shares); i++)
            for (size_t k = 0; k < shares[i].n; k++)
                (void)delta_stream_list(&m->stream, &m->cm, shares[i].list, *at++);
        r = delta_cm_finish(&m->cm);
    }
    free(m);
    return r < 0 ? r : add_packed(body, DELTA_CODER_MIXING, packed.p, packed.n);
}

static ZSTD_CCtx *new_context(bool quick)
{
    enum { QUICK_LEVEL = 3 };
    /* level 19 searched less, in tables that fit a processor's cache: some 2 % more bytes in a third of the time */
    static const struct {
        ZSTD_cParameter name;
        int value;
    } settings[] = {
        {ZSTD_c_compressionLevel, 19},  {ZSTD_c_hashLog, 17},        {ZSTD_c_chainLog, 17},
        {ZSTD_c_windowLog, WINDOW_LOG}, {ZSTD_c_contentSizeFlag, 0},
    };
    ZSTD_CCtx *context = ZSTD_createCCtx();

    if (context != NULL && quick)
        (void)ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, QUICK_LEVEL);
    for (size_t i = 0; context != NULL && !quick && i < HF_LEN(settings); i++)
        (void)ZSTD_CCtx_setParameter(context, settings[i].name, settings[i].value);
    return context;
}

/* Little to pack is packed better. */
static void search(ZSTD_CCtx *context, bool much)
{
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_strategy, much ? ZSTD_btultra : ZSTD_btopt);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_searchLog, much ? 3 : 2);
    (void)ZSTD_CCtx_setParameter(context, ZSTD_c_targetLength, much ? 64 : 16);
}

static int pack_zstd(struct delta_packer *p, const struct hf_buf *bytes, uint64_t made, struct hf_buf *body)
{
    size_t bound = ZSTD_compressBound(bytes->n), n;
    unsigned char *packed = malloc(bound);
    int r = -ENOMEM;

    if (p->context == NULL)
        p->context = new_context(p->quick);
    if (packed != NULL && p->context != NULL) {
        if (!p->quick)
            search(p->context, bytes->n < made / 8);
        n = ZSTD_compress2(p->context, packed, bound, bytes->p, bytes->n);
        r = ZSTD_isError(n) ? -ENOMEM : add_packed(body, DELTA_CODER_ZSTD, packed, n);
    }
    free(packed);
    return r;
}

int delta_packer_pack(struct delta_packer *p, const struct delta_lists *lists, uint64_t made, struct hf_buf *body)
{
    bool few = lists->bytes.n <= few_of(made);

    return few && !p->quick ? pack_mixed(lists, made, body) : pack_zstd(p, &lists->bytes, made, body);
}
