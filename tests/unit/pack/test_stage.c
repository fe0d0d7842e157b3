/* SPDX-License-Identifier: Apache-2.0 */
/* Compressed streams as other programs write them: taken apart and put together again, byte for byte. */
#define ZSTD_STATIC_LINKING_ONLY
#include <errno.h>
#include <zstd.h>

#include "base/encoding/hex.h"
#include "base/parse.h"
#include "pack/codec/stage.h"
#include "pack/codec/xz.h"
#include "pack/codec/zst.h"
#include "pack/deflate/deflate_find.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/packs.h"
#include "support/walk.h"

enum { TEXT_BYTES = 300000 };

static const struct {
    const char *command;
    size_t head;    /* bytes before the stream */
    bool predicted; /* deflate: by flavour and level, without an exception */
} cases[] = {
    {"gzip -nc1", 10, true},
    {"gzip -nc2", 10, true},
    {"gzip -nc3", 10, true},
    {"gzip -nc4", 10, true},
    {"gzip -nc5", 10, true},
    {"gzip -nc6", 10, true},
    {"gzip -nc7", 10, true},
    {"gzip -nc8", 10, true},
    {"gzip -nc9", 10, true},
#define ZLIB(level, memory)                                                                                            \
    "python3 -c 'import sys,zlib; c=zlib.compressobj(" #level ",8,31," #memory                                         \
    "); sys.stdout.buffer.write(c.compress(sys.stdin.buffer.read())+c.flush())'"
#define FLUSH(level, memory, strategy, how)                                                                            \
    "python3 -c 'import sys,zlib; c=zlib.compressobj(" #level ",8,31," #memory "," #strategy                           \
    "); d=sys.stdin.buffer.read(); sys.stdout.buffer.write(c.compress(d[:90000])+c.flush(" #how                        \
    ")+c.compress(d[90000:])+c.flush())'"
    {ZLIB(1, 8), 10, true},
    {ZLIB(2, 9), 10, true},
    {ZLIB(3, 8), 10, true},
    {ZLIB(4, 9), 10, true},
    {ZLIB(5, 8), 10, true},
    {ZLIB(6, 8), 10, true},
    {ZLIB(6, 9), 10, true},
    {ZLIB(7, 8), 10, true},
    {ZLIB(8, 9), 10, true},
    {ZLIB(9, 8), 10, true},
    {ZLIB(9, 9), 10, true},
    {ZLIB(0, 8), 10, false},        /* stored */
    {ZLIB(6, 5), 10, false},        /* short blocks */
    {FLUSH(6, 8, 0, 2), 10, false}, /* sync flush, as pigz and servers do */
    {FLUSH(6, 8, 0, 3), 10, false}, /* full flush */
    {FLUSH(6, 8, 1, 2), 10, false}, /* filtered */
    {FLUSH(6, 8, 2, 2), 10, false}, /* Huffman only */
    {FLUSH(6, 8, 3, 2), 10, false}, /* run lengths */
    {FLUSH(6, 8, 4, 2), 10, false}, /* fixed codes */
    {"xz -6 -T2 -c", 0, false},
    {"xz -0 -T1 -c", 0, false},
    {"xz -3e -T1 -c", 0, false},
    {"xz --check=crc32 --lzma2=dict=1MiB -T2 -c", 0, false},
    {"xz -T2 --block-size=100KiB -2 -c", 0, false},
    {"xz --check=none --x86 --lzma2=preset=1,lc=2,pb=1 -T1 -c", 0, false},
    {"xz --check=sha256 --delta=dist=2 --lzma2=preset=2 -T1 -c", 0, false},
    {"zstd -qc", 0, false},
    {"zstd -qc -1 --no-check", 0, false},
    {"zstd -qc -9 --single-thread", 0, false},
    {"zstd -qc -19", 0, false},
    {"cat | zstd -qc -5", 0, false},
};

static enum pack_codec codec_of(const char *command)
{
    return strncmp(command, "xz", 2) == 0    ? PACK_CODEC_XZ
           : strstr(command, "zstd") != NULL ? PACK_CODEC_ZSTD
                                             : PACK_CODEC_DEFLATE;
}

static int add(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    (void)err;
    return hf_buf_add(ctx, bytes, n);
}

static int take_apart(enum pack_codec codec, struct hf_buf *packed, size_t head, struct hf_buf *plain, uint64_t *ret_n,
                      struct hf_err *err)
{
    struct delta_io bytes = {.p = packed->p, .n = packed->n, .step = 777};
    const struct hf_delta_old from = delta_io_old(&bytes);
    const struct pack_decode decode = {.codec = codec,
                                       .gzip_tail = codec < PACK_CODEC_XZ,
                                       .from = &from,
                                       .offset = head,
                                       .n = packed->n - head,
                                       .out = {plain, add}};

    return pack_decode_some(&decode, ret_n, err);
}

/* In pieces of odd sizes. */
static int put_together(const struct pack_setup *setup, const struct hf_buf *plain, struct hf_buf *packed,
                        struct hf_err *err)
{
    const struct pack_sink sink = {packed, add};
    _cleanup_(pack_encoder_freep) struct pack_encoder *encoder = NULL;
    int r = pack_encoder_new(setup, &sink, &encoder, err);

    for (size_t at = 0, step = 1; r == 0 && at < plain->n; at += step, step = step * 3 % 50021) {
        step = HF_MIN(step, plain->n - at);
        r = pack_encoder_feed(encoder, plain->p + at, step, err);
    }
    return r == 0 ? pack_encoder_finish(encoder, err) : r;
}

/* Beyond 1 << 24 bytes Go's own positions begin anew. */
enum { LONG = (1 << 24) + 300000 };

/* What programs written in Go make of text, noise and text, or of what repeats itself, known by its SHA-256: they are not needed here. */
static const struct {
    unsigned char flavour, level; /* 3: compress/gzip, 4: klauspost/compress/gzip, 5: klauspost/pgzip */
    size_t text_bytes;            /* 0: repetitions; LONG: so many at least, as long_text() makes them */
    const char *sha256;
    const char *marks; /* of klauspost's: where blocks end; of Go's: a match from before the window slid */
} go_cases[] = {
    {3, 2, TEXT_BYTES, "a518b37de1cc4a2ee2b9f23170b58fa3e8d2867e65697608172099ba96a48ed7", ""},
    {3, 3, TEXT_BYTES, "063238904b50decad0856a32bdc447b877dc72e8b999576bfefb9b3c5b406375", ""},
    {3, 4, TEXT_BYTES, "be61cb0214f1806b51d016e4edcc604a56295643dfd5fcb9404473a555df5325", ""},
    {3, 5, TEXT_BYTES, "4bcc853f93b4e2fbbc286ba9420b093f74fa5ccdc4f1f90b965d36806f26b74a", ""},
    {3, 6, TEXT_BYTES, "7280102d602247b2b1a0812c0b863f614a2b26f2cbc905c792d8ad6982d93a58", ""},
    {3, 9, TEXT_BYTES, "117de2a71a35f1364f6c623194b9398b87faa1801a8dd09ec24313fb0615331e", ""},
    {3, 2, LONG, "b023de6c488d65f2786c177d0cc0294ec987ff0550e85efe13a550fd3ccdb221", "fafd03befda301daff01befda301"},
    {3, 6, LONG, "f8e02ea56740dfcd2ed35caddc46cb00680d835965a79f2a3599a958e09e6a89", "d4fd05befda301"},
    {4, 5, 1000000, "dddd2e6f203fd99e7fabd60ee7b4fdbca5b4d67ca514231009abd38dd1249c5d",
     "a26509f2ab0109815609e45509f955099155099f55098081020990810209b95509da910309ffff0301d66509ed1a090019"},
    {5, 5, 1000000, "ab822c74e7a7422d296704892536e70156da9d87b49f7629b9b428c0e076e65d",
     "a26509f2ab0109815609e45509f955099155099f55098081020990810209b95509da91030910010001ffff0301e26509e61a0900010019"},
    {4, 5, 0, "59c163a84157d43d905668efed83dff1611212bad964e63832174e966e6d32ad",
     "ffff0309ffff0309fc2809ff0109c80309ff0109e30209ff0109ff0109e30209ff0109ff0109e40209e40209ff0109e40209fe0309e40209f"
     "f0109ff0109e40209ff0109f901090019"},
    {5, 5, 0, "45ee3b17803ba19d2dbc995b186ae76cc6ab6553ac0d903b2d679f17761d16dc",
     "ffff0309ffff0309fc2809ff0109c80309ff0109e30209ff0109ff0109e30209ff0109ff0109e40209e40209ff0109e4020910010001ff010"
     "9ff0109e40209ff0109ff0109e40209ff0109f9010900010019"},
};

static void add_byte(struct hf_buf *text, char byte)
{
    ck_assert_int_eq(hf_buf_add(text, &byte, 1), 0);
}

static void add_noise(struct hf_buf *text, uint32_t *x, size_t n)
{
    for (; n > 0; n--) {
        *x = *x * 1664525u + 1013904223u;
        add_byte(text, (char)(unsigned char)(*x >> 24));
    }
}

/* Again and again from as far as positions are kept, nearer and farther, with runs of zero bytes that are longer than a chunk between. */
static void repetitions(struct hf_buf *text)
{
    static const uint32_t again[][2] = {{65600, 66000}, {33000, 40000}, {32760, 40000}, {65536, 20000},
                                        {65540, 66000}, {98304, 50000}, {24000, 70000}, {65600, 3000}};
    uint32_t x = 1;

    add_noise(text, &x, 70000);
    for (unsigned i = 0; i < HF_LEN(again); i++) {
        for (uint32_t n = again[i][1]; n > 0; n--)
            add_byte(text, text->p[text->n - again[i][0]]);
        for (unsigned n = 140000; n > 0; n--)
            add_byte(text, 0);
        add_noise(text, &x, 100);
    }
}

static void text_and_noise(struct hf_buf *text, size_t n)
{
    uint32_t x = 1;

    packs_text(text, n, 7, 0);
    add_noise(text, &x, 100000);
    packs_text(text, 100000, 9, 0);
}

/* Few matches, but smaller by its codes: a stored block would not tell its tokens. */
static void add_letters(struct hf_buf *text, uint32_t *x, size_t n)
{
    for (; n > 0; n--) {
        *x = *x * 1664525u + 1013904223u;
        add_byte(text, (char)(*x >> 25));
    }
}

static void add_again(struct hf_buf *text, size_t back, size_t n)
{
    for (; n > 0; n--)
        add_byte(text, text->p[text->n - back]);
}

/* Go's window slides when a position from 65,274 on is reached, behind looking for a match there: one from further back than
 * what then is left of the window. Once with literals before it, once right behind another match. Then text up to and beyond the place
 * where Go's positions begin anew. */
static void long_text(struct hf_buf *text)
{
    enum { SLIDES_AT = 65274, SLIDES_BY = 32768, FAR = 32607 };
    static const char zeros[1 << 16];
    uint32_t x = 1;

    add_letters(text, &x, SLIDES_AT);
    add_again(text, FAR, 20);
    add_letters(text, &x, SLIDES_AT + SLIDES_BY - 20 - text->n);
    add_again(text, 1000, 20);
    add_again(text, FAR, 20);
    packs_text(text, 100000, 7, 0);
    while (text->n + sizeof(zeros) < LONG - 2 * TEXT_BYTES)
        ck_assert_int_eq(hf_buf_add(text, zeros, sizeof(zeros)), 0);
    packs_text(text, LONG - text->n, 9, 0);
}

START_TEST(as_go_does_it)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 25), packed = HF_BUF_INIT(1 << 24),
                                         plain = HF_BUF_INIT(1 << 25);
    unsigned char marks[100], *found = NULL;
    size_t marks_n = strlen(go_cases[_i].marks) / 2;
    const struct pack_setup want = {.codec = PACK_CODEC_DEFLATE,
                                    .params = {go_cases[_i].flavour, go_cases[_i].level},
                                    .params_n = 2,
                                    .marks = marks,
                                    .marks_n = marks_n,
                                    .gzip_tail = true};
    struct pack_setup setup = {.gzip_tail = true};
    char hex[HF_SHA256_HEX];
    struct hf_err err = HF_ERR_INIT;
    uint64_t n = 0;

    ck_assert_int_eq(hf_hex_decode(go_cases[_i].marks, marks, marks_n), 0);
    if (go_cases[_i].text_bytes == LONG)
        long_text(&text);
    else if (go_cases[_i].text_bytes > 0)
        text_and_noise(&text, go_cases[_i].text_bytes);
    else
        repetitions(&text);
    ck_assert_msg(put_together(&want, &text, &packed, &err) == 0, "%s", err.cause);
    ck_assert_str_eq(hf_sha256_hex(packed.p, packed.n, hex), go_cases[_i].sha256);
    ck_assert_int_eq(take_apart(PACK_CODEC_DEFLATE, &packed, 0, &plain, &n, &err), 0);
    ck_assert(n == packed.n && plain.n == text.n && memcmp(plain.p, text.p, text.n) == 0);
    const struct pack_search search = {
        (const unsigned char *)packed.p, (const unsigned char *)plain.p, n, plain.n, NULL, NULL, false, 0};
    ck_assert_msg(pack_deflate_find(&search, &setup, &found, &err) == 0, "%s", err.cause);
    ck_assert(setup.params[0] == go_cases[_i].flavour && setup.params[1] == go_cases[_i].level);
    ck_assert(setup.marks_n == marks_n && (marks_n == 0 || memcmp(setup.marks, marks, marks_n) == 0));
    free(found);
}
END_TEST

START_TEST(comes_back_the_same)
{
    enum pack_codec codec = codec_of(cases[_i].command);
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24),
                                         plain = HF_BUF_INIT(1 << 24), tokens = HF_BUF_INIT(1 << 24),
                                         again = HF_BUF_INIT(1 << 24);
    struct hf_err err = HF_ERR_INIT;
    struct pack_setup setup = {.gzip_tail = codec == PACK_CODEC_DEFLATE};
    unsigned char *marks = NULL;
    size_t head = cases[_i].head;
    uint64_t n = 0;
    int r;

    packs_text(&text, TEXT_BYTES, 7, 0);
    packs_run(cases[_i].command, text.p, text.n, &packed);
    ck_assert_int_eq(hf_buf_add(&packed, "behind it", 9), 0);
    r = take_apart(codec, &packed, head, &plain, &n, &err);
    ck_assert_msg(r == 0 && n == packed.n - head - 9, "%s: %s", cases[_i].command, err.cause);
    ck_assert(plain.n == text.n && memcmp(plain.p, text.p, text.n) == 0);

    const unsigned char *start = (const unsigned char *)packed.p + head;
    const struct pack_search search = {start, (const unsigned char *)plain.p, n, plain.n, NULL, NULL, false, 0};
    if (codec == PACK_CODEC_DEFLATE)
        r = pack_deflate_find(&search, &setup, &marks, &err);
    else
        r = codec == PACK_CODEC_XZ ? pack_xz_find(&search, &setup, &err) : pack_zstd_find(&search, &setup, &err);
    if (codec != PACK_CODEC_DEFLATE || cases[_i].predicted) {
        ck_assert_msg(r == 0, "%s: %s", cases[_i].command, err.cause);
        ck_assert_msg(setup.marks_n == 0, "%s: %zu bytes of exceptions", cases[_i].command, setup.marks_n);
    }
    if (r == 0) {
        r = put_together(&setup, &plain, &again, &err);
        ck_assert_msg(r == 0 && again.n == n && memcmp(again.p, start, n) == 0, "%s: %s", cases[_i].command, err.cause);
        ck_assert_uint_lt(pack_encoder_memory(&setup), UINT64_MAX);
    }
    free(marks);
    if (codec != PACK_CODEC_DEFLATE)
        return;
    hf_buf_clear(&again);
    r = take_apart(PACK_CODEC_DEFLATE_TOKENS, &packed, head, &tokens, &n, &err);
    ck_assert_msg(r == 0 && n == packed.n - head - 9, "%s by tokens: %s", cases[_i].command, err.cause);
    setup = (struct pack_setup){.codec = PACK_CODEC_DEFLATE_TOKENS, .gzip_tail = true};
    r = put_together(&setup, &tokens, &again, &err);
    ck_assert_msg(r == 0 && again.n == n && memcmp(again.p, start, n) == 0, "%s by tokens: %s", cases[_i].command,
                  err.cause);
}
END_TEST

/* Noise tells nothing of who packed it: what comes behind it does. */
START_TEST(noise_first)
{
    static const char *const commands[] = {"gzip -nc9", "gzip -nc4", ZLIB(5, 9)};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24);
    struct pack_setup setup = {.gzip_tail = true};
    struct hf_err err = HF_ERR_INIT;
    unsigned char *marks = NULL;
    size_t head = 10;

    add_noise(&text, &(uint32_t){1}, 100000);
    packs_text(&text, TEXT_BYTES, 7, 0);
    packs_run(commands[_i], text.p, text.n, &packed);
    const struct pack_search search = {(const unsigned char *)packed.p + head,
                                       (const unsigned char *)text.p,
                                       packed.n - head,
                                       text.n,
                                       NULL,
                                       NULL,
                                       false,
                                       0};
    ck_assert_msg(pack_deflate_find(&search, &setup, &marks, &err) == 0, "%s: %s", commands[_i], err.cause);
    ck_assert_uint_eq(setup.marks_n, 0);
    free(marks);
}
END_TEST

/* Exceptions are found, kept, and give the stream back: an encoder that is nearly one of the family. */
START_TEST(exceptions)
{
    static const char nearly[] =
        "python3 -c 'import sys,zlib; c=zlib.compressobj(6,8,31,8); d=sys.stdin.buffer.read();"
        "sys.stdout.buffer.write(c.compress(d[:250000])+c.flush(2)+c.compress(d[250000:])+c.flush())'";
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24),
                                         plain = HF_BUF_INIT(1 << 24), again = HF_BUF_INIT(1 << 24);
    struct pack_setup setup = {.gzip_tail = true};
    struct hf_err err = HF_ERR_INIT;
    unsigned char *marks = NULL;
    uint64_t n = 0;

    packs_text(&text, TEXT_BYTES, 7, 0);
    packs_run(nearly, text.p, text.n, &packed);
    ck_assert_int_eq(take_apart(PACK_CODEC_DEFLATE, &packed, 10, &plain, &n, &err), 0);
    const unsigned char *start = (const unsigned char *)packed.p + 10;
    const struct pack_search search = {start, (const unsigned char *)plain.p, n, plain.n, NULL, NULL, false, 0};
    int r = pack_deflate_find(&search, &setup, &marks, &err);
    ck_assert_msg(r == 0, "%s", err.cause);
    ck_assert_uint_gt(setup.marks_n, 0);
    ck_assert_uint_lt(setup.marks_n, 200);
    ck_assert_int_eq(put_together(&setup, &plain, &again, &err), 0);
    ck_assert(again.n == n && memcmp(again.p, start, n) == 0);

    /* Every damaged mark is an error or gives other bytes; none does harm. */
    for (size_t i = 0; i < setup.marks_n; i++) {
        for (unsigned bit = 0; bit < 8; bit++) {
            marks[i] ^= (unsigned char)(1u << bit);
            hf_buf_clear(&again);
            r = put_together(&setup, &plain, &again, &err);
            ck_assert(r < 0 || again.n != n || memcmp(again.p, start, n) != 0);
            marks[i] ^= (unsigned char)(1u << bit);
        }
    }
    free(marks);
}
END_TEST

/* Taking damaged streams apart, and feeding damaged tokens, ends in an error or in bytes: never in harm. */
START_TEST(damage)
{
    static const char *const commands[] = {"gzip -nc6", "xz -0 -c", "zstd -qc"};
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24),
                                         plain = HF_BUF_INIT(1 << 24), tokens = HF_BUF_INIT(1 << 24);
    const struct pack_setup by_tokens = {.codec = PACK_CODEC_DEFLATE_TOKENS, .gzip_tail = true};
    enum pack_codec codec = codec_of(commands[_i]);
    size_t head = codec == PACK_CODEC_DEFLATE ? 10 : 0;
    struct hf_err err = HF_ERR_INIT;
    uint64_t n = 0;

    packs_text(&text, 6000, 3, 0);
    packs_run(commands[_i], text.p, text.n, &packed);
    for (uint64_t at = hf_walk_next("cuts", head); at <= packed.n; at = hf_walk_next("cuts", at)) {
        struct hf_buf less = {.p = packed.p, .n = at - 1};
        hf_buf_clear(&plain);
        ck_assert_int_lt(take_apart(codec, &less, head, &plain, &n, &err), 0);
    }
    for (uint64_t at = hf_walk_next(commands[_i], head); at <= packed.n; at = hf_walk_next(commands[_i], at)) {
        size_t i = at - 1;
        packed.p[i] ^= (char)(1 << i % 8);
        hf_buf_clear(&plain);
        int r = take_apart(codec, &packed, head, &plain, &n, &err);
        ck_assert(r < 0 || (plain.n == text.n && memcmp(plain.p, text.p, text.n) == 0));
        packed.p[i] ^= (char)(1 << i % 8);
    }
    if (codec != PACK_CODEC_DEFLATE)
        return;
    ck_assert_int_eq(take_apart(PACK_CODEC_DEFLATE_TOKENS, &packed, head, &tokens, &n, &err), 0);
    /* The rule in the first four bytes says nothing about one block. */
    for (uint64_t i = hf_walk_next("tokens", 3); i < tokens.n; i = hf_walk_next("tokens", i)) {
        tokens.p[i] ^= (char)(1 << i % 8);
        hf_buf_clear(&plain);
        int r = put_together(&by_tokens, &tokens, &plain, &err);
        ck_assert(r < 0 || plain.n != n || memcmp(plain.p, packed.p + head, n) != 0);
        tokens.p[i] ^= (char)(1 << i % 8);
        struct hf_buf less = {.p = tokens.p, .n = i};
        ck_assert_int_lt(put_together(&by_tokens, &less, &plain, &err), 0);
    }
}
END_TEST

START_TEST(zstd_states_what_it_takes)
{
    for (unsigned char level = 1; level <= 22; level++) {
        const struct pack_setup setup = {
            .codec = PACK_CODEC_ZSTD, .params = {level}, .params_n = 2, .plain_n = UINT64_C(1) << 40};
        ck_assert_msg(pack_encoder_memory(&setup) >= ZSTD_estimateCStreamSize(level), "level %u", level);
    }
}
END_TEST

/* What fits into one window the zstd command's worker packs as no worker does: the node needs its memory for none. */
START_TEST(no_worker_for_one_window)
{
    struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24), again = HF_BUF_INIT(1 << 24);
    struct pack_setup setup = {.params_n = 0};

    packs_text(&text, 3000000, 7, 0);
    packs_run("zstd -qc -9 --stream-size=3000000", text.p, text.n, &packed);
    const struct pack_search search = {
        (const unsigned char *)packed.p, (const unsigned char *)text.p, packed.n, text.n, NULL, NULL, false, 0};
    ck_assert_int_eq(pack_zstd_find(&search, &setup, NULL), 0);
    ck_assert_uint_le(pack_encoder_memory(&setup), 24 << 20);
    ck_assert_int_eq(put_together(&setup, &text, &again, NULL), 0);
    ck_assert(again.n == packed.n && memcmp(again.p, packed.p, packed.n) == 0);
    hf_buf_done(&text);
    hf_buf_done(&packed);
    hf_buf_done(&again);
}
END_TEST

START_TEST(memory_is_bounded)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(1 << 24), packed = HF_BUF_INIT(1 << 24),
                                         plain = HF_BUF_INIT(1 << 24);
    struct hf_err err = HF_ERR_INIT;
    uint64_t needed = 0, n = 0;

    packs_text(&text, 50000, 3, 0);
    packs_run("xz -6 -c", text.p, text.n, &packed);
    struct delta_io bytes = delta_io_of(&packed);
    const struct hf_delta_old from = delta_io_old(&bytes);
    struct pack_decode decode = {
        .codec = PACK_CODEC_XZ, .from = &from, .n = packed.n, .out = {&plain, add}, .memory = &needed};
    ck_assert_int_eq(pack_decode_some(&decode, &n, &err), 0);
    ck_assert_uint_gt(needed, 8 << 20);
    decode.memory_max = 1 << 20;
    ck_assert_int_eq(pack_decode_some(&decode, &n, &err), -E2BIG);
    decode.memory_max = needed;
    ck_assert_int_eq(pack_decode_run(&decode, &err), 0);
    decode.n--;
    ck_assert_int_eq(pack_decode_run(&decode, &err), -EBADMSG);
}
END_TEST

START_TEST(unknown_numbers)
{
    const struct pack_setup setups[] = {
        {.codec = PACK_CODEC_END},
        {.codec = PACK_CODEC_DEFLATE, .params_n = 2, .params = {9, 6}},
        {.codec = PACK_CODEC_DEFLATE, .params_n = 2, .params = {0, 0}},
        {.codec = PACK_CODEC_DEFLATE, .params_n = 1, .params = {0}},
        {.codec = PACK_CODEC_DEFLATE_TOKENS, .params_n = 1},
        {.codec = PACK_CODEC_XZ, .params_n = 2},
        {.codec = PACK_CODEC_XZ, .params_n = 33, .params = {0, 1, 1, 99}},
        {.codec = PACK_CODEC_ZSTD, .params_n = 2, .params = {23, 0}},
        {.codec = PACK_CODEC_ZSTD, .params_n = 2, .params = {3, 8}},
    };
    const struct pack_sink sink = {NULL, add};
    struct pack_encoder *encoder = NULL;
    struct hf_err err = HF_ERR_INIT;

    int r = pack_encoder_new(&setups[_i], &sink, &encoder, &err);
    ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP, "%d: %d", _i, r);
    ck_assert_ptr_null(encoder);
}
END_TEST

static void all(TCase *tc)
{
    tcase_add_loop_test(tc, as_go_does_it, 0, (int)HF_LEN(go_cases));
    tcase_add_loop_test(tc, comes_back_the_same, 0, HF_LEN(cases));
    tcase_add_test(tc, exceptions);
    tcase_add_loop_test(tc, noise_first, 0, 3);
    tcase_add_loop_test(tc, damage, 0, 3);
    tcase_add_test(tc, no_worker_for_one_window);
    tcase_add_test(tc, memory_is_bounded);
    tcase_add_test(tc, zstd_states_what_it_takes);
    tcase_add_loop_test(tc, unknown_numbers, 0, 9);
}

HF_TEST_MAIN_CPU("pack/stage", all, 120)
