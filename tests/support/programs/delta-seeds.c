/* SPDX-License-Identifier: Apache-2.0 */
/* delta-seeds FOLDER: writes the first inputs of fuzz_delta: for each kind of table in each old file a delta that
 * copies from it, by both methods that copy; and deltas between whole files by all methods, real and short. Run it when
 * the format changes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zstd.h>

#include "delta/blocks.h"
#include "delta/coder.h"
#include "delta/image/elf.h"
#include "delta/shared_context.h"
#include "delta/stripes.h"
#include "support/delta_io.h"
#include "support/makers/delta_short.h"
#include "support/makers/draw.h"
#include "support/makers/go_make.h"

enum {
    COPY = 240,
    LITERALS = 40,
    MANY_LITERALS = DELTA_LITERAL_PIECE + 30,
    SMALL = 1200,
    CHANGE_EACH = 29,
    STRIPE_CUT = 48
};

static const char *folder;
static void must(int r)
{
    if (r < 0) {
        (void)fprintf(stderr, "delta-seeds: %s\n", strerror(-r));
        exit(1);
    }
}

static void keep(const char *name, const void *bytes, size_t n)
{
    char path[4096];

    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    must(file == NULL || fwrite(bytes, 1, n, file) != n || fclose(file) != 0 ? -EIO : 0);
}

static void keep_short(const char *name, const struct delta_short *s, const struct hf_buf *setting, const void *block,
                       size_t block_n)
{
    _cleanup_(hf_buf_done) struct hf_buf all = HF_BUF_INIT(1 << 20);
    unsigned char head[DELTA_SHORT_HEAD];

    delta_short_format(s, head);
    must(hf_buf_add(&all, head, sizeof(head)));
    if (setting != NULL && setting->n > 0)
        must(hf_buf_add(&all, setting->p, setting->n));
    if (block_n > 0)
        must(hf_buf_add(&all, block, block_n));
    keep(name, all.p, all.n);
}

/* ---- copies from one table ------------------------------------------------------------------------------------- */

/* New: what old has at two places, some bytes of it others, and something between. */
struct piece {
    struct delta_make make;
    unsigned char new_bytes[2 * COPY + MANY_LITERALS];
    struct delta_image image;
    struct delta_pair pair;
    struct delta_copy copies[2];
    unsigned lean;
    bool quick;
};

static void cut_piece(struct piece *k, const struct delta_short_old *old, const struct delta_image *image, uint64_t at,
                      uint64_t n, unsigned literals)
{
    static const struct hf_delta_create_params params = {.threads = 1};
    size_t one = (size_t)HF_MIN(n, (uint64_t)COPY), two = one;
    uint64_t second = at + (n - two);

    memset(k, 0, sizeof(*k));
    k->image = *image;
    memcpy(k->new_bytes, old->p + at, one);
    for (size_t i = 0; i < literals; i++)
        k->new_bytes[one + i] = (unsigned char)draw();
    memcpy(k->new_bytes + one + literals, old->p + second, two);
    for (size_t i = draw() % CHANGE_EACH; i < one + literals + two; i += 1 + draw() % CHANGE_EACH)
        k->new_bytes[i] ^= (unsigned char)(1 << draw() % 8);
    k->copies[0] = (struct delta_copy){0, at, one};
    k->copies[1] = (struct delta_copy){one + literals, second, two};
    k->make = (struct delta_make){.old = old->p,
                                  .new_bytes = k->new_bytes,
                                  .old_n = old->n,
                                  .new_n = one + literals + two,
                                  .params = &params,
                                  .copies = {k->copies, HF_LEN(k->copies), HF_LEN(k->copies)},
                                  .pairs = &k->pair,
                                  .old_images = &k->image,
                                  .new_images = &k->image,
                                  .pairs_n = image->segments.n > 0};
    k->pair = (struct delta_pair){0, (uint32_t)old->n, 0, (uint32_t)k->make.new_n};
}

/* With all predictors, whether they pay or not; without map and images where old is too large for them. */
static void open_setting(const struct piece *k, bool bare, struct delta_memory *memory,
                         struct delta_shared_context *setting, struct hf_buf *part)
{
    _cleanup_(hf_buf_done) struct hf_buf ignored = HF_BUF_INIT(1 << 20);
    struct hf_err err = HF_ERR_INIT;
    struct delta_cm cm;

    must(delta_shared_context_make(&k->make, memory, setting, &ignored, &err));
    setting->predictors = DELTA_PREDICT_ALL;
    setting->lean = k->lean;
    if (bare) {
        delta_map_done(&setting->map);
        must(delta_map_alloc(&setting->map, 0, &err));
        setting->pairs_n = 0;
    }
    delta_cm_start_encoding(&cm, part);
    must(delta_shared_context_code(&cm, setting, &err));
    must(delta_cm_finish(&cm));
}

/* In short. `room`: of a stripe. */
static void code_block(const struct piece *k, struct delta_shared_context *setting, uint64_t room, struct hf_buf *block)
{
    static struct delta_old old;
    _cleanup_(hf_buf_done) struct hf_buf whole = HF_BUF_INIT(1 << 20);
    struct delta_stripe_encoder encoder = {
        .make = &k->make, .map = &setting->map, .room = room, .part = HF_BUF_INIT(1 << 20)};
    struct delta_block_options options = {.quick = k->quick};
    unsigned again = 0;
    struct hf_err err = HF_ERR_INIT;

    old = *setting->old;
    encoder.model = delta_model_new(setting);
    encoder.literals = delta_literals_new(setting, &old);
    must(encoder.model == NULL || encoder.literals == NULL ? -ENOMEM : 0);
    do {
        hf_buf_clear(&whole);
        must(delta_stripes_make(&encoder, 0, k->make.new_n, &options, &whole, &err));
    } while (options.plain_n > 0 && !again++);
    must(delta_short_add_block(block, (const unsigned char *)whole.p, whole.n) ? 0 : -EBADMSG);
    delta_literals_free(encoder.literals);
    delta_model_free(encoder.model);
    hf_buf_done(&encoder.part);
}

/* What a body's part says, *p being moved behind it; ret_coder: it is named there, too. */
static struct hf_view take_part(const unsigned char **p, const unsigned char *end, enum delta_coder *ret_coder)
{
    uint64_t n;

    must(delta_get_varint(p, end, &n) ? 0 : -EBADMSG);
    if (ret_coder != NULL) {
        *ret_coder = n & 1;
        n >>= 1;
    }
    must(n <= (uint64_t)(end - *p) ? 0 : -EBADMSG);
    *p += n;
    return (struct hf_view){(const char *)(*p - n), (size_t)n};
}

static size_t unpack_frame(struct hf_view frame, unsigned char *to, size_t room)
{
    ZSTD_DCtx *context = ZSTD_createDCtx();
    ZSTD_inBuffer in = {frame.p, frame.n, 0};
    ZSTD_outBuffer out = {to, room, 0};

    must(context == NULL || ZSTD_isError(ZSTD_decompressStream(context, &out, &in)) ? -EBADMSG : 0);
    (void)ZSTD_freeDCtx(context);
    return out.pos;
}

/* A body of method 1. */
static struct hf_view block_of(const struct hf_buf *body, enum delta_coder *ret_coder)
{
    const unsigned char *p = (const unsigned char *)body->p, *end = p + body->n;

    (void)take_part(&p, end, NULL);
    return take_part(&p, end, ret_coder);
}

static void keep_bare(const char *name, struct delta_short s, const struct hf_buf *setting, struct hf_view frame)
{
    static unsigned char chunks[1 << 18];
    size_t n = unpack_frame(frame, chunks, sizeof(chunks));

    s.bare = true;
    keep_short(name, &s, setting, chunks, n);
}

static void keep_piece(const char *name, unsigned which, const struct piece *k)
{
    static struct delta_memory memory;
    _cleanup_(hf_buf_done) struct hf_buf setting_part = HF_BUF_INIT(1 << 20), block = HF_BUF_INIT(1 << 20),
                                         body = HF_BUF_INIT(1 << 20);
    struct delta_short s = {.which = which,
                            .kind = k->make.new_n <= 1024 ? DELTA_SHORT_1K : DELTA_SHORT_4K,
                            .size = (unsigned)k->make.new_n - 1};
    const struct delta_make *make = &k->make;
    struct delta_shared_context setting;
    struct hf_err err = HF_ERR_INIT;
    char path[128];

    bool large = delta_short_old(which)->size > UINT32_MAX;

    open_setting(k, large, &memory, &setting, &setting_part);
    s.shared_n = (unsigned)setting_part.n;
    s.method = DELTA_METHOD_RECORDS_CM;
    for (unsigned cut = 0; cut < 2; cut++) {
        hf_buf_clear(&block);
        code_block(k, &setting, cut != 0 ? STRIPE_CUT : DELTA_STRIPE_BYTES, &block);
        (void)snprintf(path, sizeof(path), "%s-cm%s", name, cut != 0 ? "-cut" : "");
        keep_short(path, &s, &setting_part, block.p, block.n);
    }
    delta_shared_context_done(&setting);
    if (large)
        return;
    s.method = DELTA_METHOD_RECORDS_ZSTD;
    for (unsigned bare = 0; bare < 2; bare++) {
        enum delta_coder coder;
        hf_buf_clear(&body);
        must(delta_blocks_make(bare != 0 ? &delta_blocks_quick : &delta_blocks_zstd, &make, 1, 1, &body, &err));
        struct hf_view part = block_of(&body, &coder);
        must(coder == (bare != 0 ? DELTA_CODER_ZSTD : DELTA_CODER_LZMA) ? 0 : -EBADMSG);
        (void)snprintf(path, sizeof(path), "%s-%s", name, bare != 0 ? "bare" : "lzma");
        if (bare != 0)
            keep_bare(path, s, &setting_part, part);
        else
            keep_short(path, &s, &setting_part, part.p, part.n);
    }
}

static void keep_pieces(unsigned which)
{
    static struct delta_memory memory;
    const struct delta_short_old *old = delta_short_old(which);
    struct hf_err err = HF_ERR_INIT;
    struct delta_image image;
    struct piece piece;
    char name[64];

    delta_memory_open(&memory, old->p, old->n);
    must(delta_image_read(&memory.reader, 0, old->n, &image, &err));
    cut_piece(&piece, old, &image, 0, old->n, LITERALS);
    (void)snprintf(name, sizeof(name), "old%u-whole", which);
    keep_piece(name, which, &piece);
    cut_piece(&piece, old, &image, 0, old->n, MANY_LITERALS);
    piece.lean = which % (DELTA_LEAN_MAX + 1);
    piece.quick = which % 2 != 0;
    (void)snprintf(name, sizeof(name), "old%u-literals", which);
    keep_piece(name, which, &piece);
    for (unsigned i = 0; i < image.regions_n; i++) {
        (void)snprintf(name, sizeof(name), "old%u-region%u", which, i);
        cut_piece(&piece, old, &image, image.regions[i].offset, image.regions[i].size, LITERALS);
        keep_piece(name, which, &piece);
    }
}

/* ---- the image that is drawn ----------------------------------------------------------------------------------- */

/* Instructions and tables that each scanner looks for. */
static const struct {
    const char *name;
    unsigned machine; /* 128: linked at a fixed address */
    uint32_t words[16];
} drawn[] = {
    {"x86",
     0,
     {0x000010e8, 0x20e90000, 0x0f000000, 0x00003084, 0x058b4800, 0x00000100, 0x0200258d, 0xff000000, 0x00014025}},
    {"jumps", 0, {0xfffff800, 0xfffff810, 0xfffff900, 0xfffff920, 0xfffff840, 0xffffff00, 0xfffff800, 0xfffff844}},
    {"aarch64",
     1,
     {0x94000004, 0x54000040, 0x18000041, 0x36080041, 0x10000041, 0xb0000001, 0x91208021, 0xf9400421, 0x90000010}},
    {"riscv",
     2,
     {0x010000ef, 0x00b50463, 0x0001a021, 0x0001c111, 0x00001517, 0x82050513, 0x00001597, 0x02b5b023, 0x00000097}},
    {"a32",
     3,
     {0xe59f3010, 0xe08f3003, 0xe59f2008, 0xeb000004, 0xfa000004, 0x00000100, 0x00000040, 0xe28fc600, 0xe28cca00,
      0xe5bcf840}},
    {"a32-fixed",
     128 + 3,
     {0xe59f3010, 0xe3010840, 0xe3400000, 0xe59f2008, 0xeb000004, 0x00000900, 0x00000a00, 0xe1a00000}},
    {"thumb",
     3,
     {0xbf004b04, 0xbf00447b, 0x7010f8df, 0xf804f000, 0xe804f000, 0x8004f000, 0xb110e004, 0xd0044478, 0x00000800}},
    {"thumb-fixed",
     128 + 3,
     {0x1340f641, 0x0300f2c0, 0xbf004b02, 0xbf00bf00, 0x00000900, 0x00000a00, 0xf804f000, 0xbf004a01}},
    {"i386",
     4,
     {0x000010e8, 0x838d0000, 0x00001800, 0x10248c8b, 0xff000000, 0x001020a3, 0x0005c300, 0x81000010, 0x001000c3}},
};

static void keep_drawn(unsigned i)
{
    static struct delta_memory memory;
    _cleanup_(hf_buf_done) struct hf_buf block = HF_BUF_INIT(1 << 20), part = HF_BUF_INIT(1 << 20),
                                         content = HF_BUF_INIT(1 << 10), input = HF_BUF_INIT(1 << 20);
    struct delta_short_old *old = delta_short_old(DELTA_SHORT_DRAWN);
    struct delta_shared_context setting;
    struct delta_image image;
    struct hf_err err = HF_ERR_INIT;
    struct piece piece;
    char path[128];

    for (unsigned k = 0; k < HF_LEN(drawn[i].words) && drawn[i].words[k] != 0; k++)
        must(hf_buf_add(&content, &drawn[i].words[k], sizeof(drawn[i].words[k])));
    for (unsigned k = 0; k < content.n + 4; k++) /* the image takes at most half of all */
        must(hf_buf_add(&input, "", 1));
    delta_short_add_drawn(&input, drawn[i].machine, content.p, content.n);
    (void)delta_short_draw((const unsigned char *)input.p, input.n);
    delta_memory_open(&memory, old->p, old->n);
    must(delta_image_read(&memory.reader, 0, old->n, &image, &err));
    for (unsigned r = 0; r < image.regions_n; r++) {
        struct delta_short s = {.method = DELTA_METHOD_RECORDS_CM, .which = DELTA_SHORT_DRAWN, .kind = DELTA_SHORT_1K};
        hf_buf_clear(&part);
        hf_buf_clear(&block);
        cut_piece(&piece, old, &image, image.regions[r].offset, image.regions[r].size, LITERALS);
        open_setting(&piece, false, &memory, &setting, &part);
        code_block(&piece, &setting, DELTA_STRIPE_BYTES, &block);
        delta_shared_context_done(&setting);
        s.size = (unsigned)piece.make.new_n - 1;
        s.shared_n = (unsigned)part.n;
        delta_short_add_drawn(&block, drawn[i].machine, content.p, content.n);
        (void)snprintf(path, sizeof(path), "drawn-%s-%u", drawn[i].name, r);
        keep_short(path, &s, &part, block.p, block.n);
    }
}

/* ---- whole files ----------------------------------------------------------------------------------------------- */

static void keep_delta_in_short(const char *name, unsigned which, const struct hf_buf *patch)
{
    static struct delta_input input;
    struct delta_io bytes = delta_io_of(patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_err err = HF_ERR_INIT;
    struct delta_header header;
    char path[128];

    delta_input_init(&input, &in);
    must(delta_header_read(&input, &header, &err));
    const unsigned char *p = (const unsigned char *)patch->p + input.offset,
                        *end = (const unsigned char *)patch->p + patch->n;
    struct delta_short s = {
        .method = header.method, .which = which, .kind = DELTA_SHORT_64K, .size = (unsigned)header.new_size};
    _cleanup_(hf_buf_done) struct hf_buf setting = HF_BUF_INIT(1 << 20);
    (void)snprintf(path, sizeof(path), "%s-short", name);
    if (s.method == DELTA_METHOD_BYTES) /* there is nothing in it to be short of */
        return;
    if (s.method == DELTA_METHOD_RUNS) {
        keep_short(path, &s, NULL, p, (size_t)(end - p));
        return;
    }
    if (s.method != DELTA_METHOD_LZMA) {
        struct hf_view part = take_part(&p, end, NULL);
        must(hf_buf_add(&setting, part.p, part.n));
        s.shared_n = (unsigned)part.n;
    }
    if (s.method == DELTA_METHOD_RECORDS_CM) {
        _cleanup_(hf_buf_done) struct hf_buf in_short = HF_BUF_INIT(1 << 20);
        must(delta_short_add_block(&in_short, p, (size_t)(end - p)) ? 0 : -EBADMSG);
        keep_short(path, &s, &setting, in_short.p, in_short.n);
        return;
    }
    enum delta_coder coder = DELTA_CODER_LZMA;
    struct hf_view block = take_part(&p, end, s.method == DELTA_METHOD_RECORDS_ZSTD ? &coder : NULL);
    if (coder == DELTA_CODER_ZSTD)
        keep_bare(path, s, &setting, block);
    else
        keep_short(path, &s, &setting, block.p, block.n);
}

static void keep_delta(const char *name, unsigned which, const void *new_bytes, size_t new_n)
{
    const struct delta_short_old *old = delta_short_old(which);

    for (unsigned fast = 0; fast < 2; fast++) {
        _cleanup_(hf_buf_done) struct hf_buf patch = HF_BUF_INIT(1 << 20);
        const struct hf_delta_out out = delta_io_out(&patch);
        const struct hf_delta_create_params params = {.profile = fast != 0 ? HF_DELTA_FAST : HF_DELTA_SMALL,
                                                      .threads = 1};
        struct hf_err err = HF_ERR_INIT;
        char path[64];
        must(hf_delta_create(old->p, old->n, new_bytes, new_n, &params, &out, &err));
        (void)snprintf(path, sizeof(path), "old%u-%s-%s", which, name, fast != 0 ? "fast" : "small");
        if (patch.n < (8 << 10))
            keep(path, patch.p, patch.n);
        if (patch.n < (4 << 10) && new_n < 1 << 16)
            keep_delta_in_short(path, which, &patch);
    }
}

/* The same file as it is after a change. */
static struct elf_made make_new(unsigned which, unsigned grown)
{
    static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM, ELF_MAKE_RISCV,
                                                     ELF_MAKE_I386};

    return which < HF_LEN(machines)
               ? elf_make(machines[which], 12 + which, grown)
               : go_make((enum delta_go_layout)(DELTA_GO_116 + which - HF_LEN(machines)), 16, grown);
}

static void keep_deltas(unsigned which)
{
    const struct delta_short_old *old = delta_short_old(which);
    unsigned char *bytes = malloc(old->n + SMALL);

    must(bytes != NULL ? 0 : -ENOMEM);
    memcpy(bytes, old->p, old->n);
    for (unsigned i = 0; i < 3; i++)
        bytes[draw() % (unsigned)old->n] ^= 0x55;
    keep_delta("few", which, bytes, old->n);
    keep_delta("cut", which, bytes, HF_MIN((size_t)SMALL, old->n));
    keep_delta("none", which, bytes, 0);
    for (unsigned i = 0; i < SMALL; i++)
        bytes[i] = i % 3 != 0 ? (unsigned char)draw() : 'a';
    keep_delta("other", which, bytes, 300);
    memmove(bytes + 500, old->p + old->n / 2, 500);
    keep_delta("mixed", which, bytes, SMALL);
    for (unsigned grown = 4; which < 8 && grown < 8; grown += 3) {
        struct elf_made made = make_new(which, grown);
        keep_delta(grown == 4 ? "grown4" : "grown7", which, made.p, made.n);
        free(made.p);
    }
    free(bytes);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    folder = argv[1];
    for (unsigned i = 0; i < HF_LEN(drawn); i++)
        keep_drawn(i);
    for (unsigned which = 0; which < DELTA_SHORT_DRAWN; which++) {
        keep_pieces(which);
        if (delta_short_old(which)->size == delta_short_old(which)->n)
            keep_deltas(which);
    }
    return 0;
}
