/* SPDX-License-Identifier: Apache-2.0 */
/* Reading checks the whole recipe before any of it is used: lengths against the bytes that are left, counts against
 * their limits, and then the new program is walked once (measure()), which bounds depth and number of streams and
 * gives the size of the unpacked new file. The old program is checked step by step while it runs. Recipes are
 * compressed with zstd unless that does not pay.
 *
 * Libraries: a setup names the version of the library on which its bytes depend. With another version, this program
 * encodes a fixed text and compares the fingerprint: only an equal one shows that the library makes the same bytes. */
#include "pack/deep/recipe.h"

#include <errno.h>
#include <string.h>
#include <zstd.h>

enum { OP_END = 0, OP_STREAM = 1, TAIL = 1 };

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "delta recipe: %s", what);
}

void recipe_done(struct recipe *recipe)
{
    free(recipe->parts);
    free(recipe->setups);
    free(recipe->bytes);
    memset(recipe, 0, sizeof(*recipe));
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static bool get(const unsigned char **p, const unsigned char *end, uint64_t max, uint64_t *ret_value)
{
    return delta_get_varint(p, end, ret_value) && *ret_value <= max;
}

static bool get_bytes(const unsigned char **p, const unsigned char *end, void *bytes, size_t n)
{
    if ((size_t)(end - *p) < n)
        return false;
    memcpy(bytes, *p, n);
    *p += n;
    return true;
}

static int read_parts(struct recipe *recipe, const unsigned char **p, struct hf_err *err)
{
    uint64_t n, size;

    if (!get(p, recipe->end, HF_DEEP_MAX_PARTS, &n))
        return damaged(err, "invalid number of parts");
    recipe->parts = calloc((size_t)n + 1, sizeof(*recipe->parts));
    if (recipe->parts == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (recipe->parts_n = 0; recipe->parts_n < n; recipe->parts_n++) {
        struct hf_deep_part *part = &recipe->parts[recipe->parts_n];
        if (!get(p, recipe->end, INT64_MAX, &size) || !get_bytes(p, recipe->end, part->sha256, HF_SHA256_BYTES))
            return damaged(err, "the list of parts is incomplete");
        part->size = size;
    }
    return 0;
}

static int read_setup(struct recipe *recipe, const unsigned char **p, struct recipe_setup *setup, struct hf_err *err)
{
    uint64_t codec, params_n, version_n;
    const unsigned char *end = recipe->end;

    if (!get(p, end, 255, &codec) || !get(p, end, PACK_PARAMS_MAX, &params_n) ||
        !get_bytes(p, end, setup->setup.params, (size_t)params_n) ||
        !get(p, end, sizeof(setup->version) - 1, &version_n) || !get_bytes(p, end, setup->version, (size_t)version_n))
        return damaged(err, "a setup is incomplete");
    if (version_n > 0 && !get_bytes(p, end, setup->fingerprint, PACK_FINGERPRINT_BYTES))
        return damaged(err, "a setup is incomplete");
    for (size_t i = 0; i < version_n; i++)
        if (setup->version[i] < ' ' || setup->version[i] > '~')
            return damaged(err, "a library's name is not printable");
    if (codec == 0 || codec >= PACK_CODEC_END)
        return hf_err_set(err, EOPNOTSUPP, "delta recipe: unknown compression number %llu", (unsigned long long)codec);
    setup->setup.codec = (enum pack_codec)codec;
    setup->setup.params_n = (unsigned)params_n;
    return 0;
}

static int read_setups(struct recipe *recipe, const unsigned char **p, struct hf_err *err)
{
    uint64_t n;
    int r = 0;

    if (!get(p, recipe->end, RECIPE_SETUPS, &n))
        return damaged(err, "invalid number of setups");
    recipe->setups = calloc((size_t)n + 1, sizeof(*recipe->setups));
    if (recipe->setups == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    for (; r == 0 && recipe->setups_n < n; recipe->setups_n++)
        r = read_setup(recipe, p, &recipe->setups[recipe->setups_n], err);
    return r;
}

bool recipe_is_shared(const struct recipe *recipe, const struct recipe_op *op)
{
    return op->open && recipe->setups[op->setup].setup.codec == PACK_CODEC_ZSTD_DECISIONS;
}

/* Walks the program of new; counts its streams and the bytes of the unpacked new file. */
static int measure(struct recipe *recipe, struct hf_err *err)
{
    const unsigned char *p = recipe->new_program;
    struct recipe_op op;
    unsigned depth = 0;

    for (;;) {
        int r = recipe_next_new(recipe, &p, &op, err);
        if (r < 0)
            return r;
        if (op.raw > INT64_MAX - RECIPE_ALIGN - recipe->plain_bytes)
            return damaged(err, "the unpacked new file is too large");
        recipe->plain_bytes += op.raw;
        if (op.open)
            recipe->plain_bytes += recipe_pad(recipe->plain_bytes);
        if (!op.open && depth-- == 0)
            return p == recipe->end ? 0 : damaged(err, "bytes follow a program");
        if (op.open && (++depth > RECIPE_DEPTH || ++recipe->streams > RECIPE_STREAMS))
            return damaged(err, "too many streams");
        recipe->shared_streams += recipe_is_shared(recipe, &op);
    }
}

static int parse(struct recipe *recipe, struct hf_err *err)
{
    const unsigned char *p = recipe->bytes;
    uint64_t old_n;
    int r;

    if (!get(&p, recipe->end, INT64_MAX, &recipe->memory_bytes) ||
        !get(&p, recipe->end, INT64_MAX, &recipe->scratch_bytes))
        return damaged(err, "it is incomplete");
    if ((r = read_parts(recipe, &p, err)) < 0 || (r = read_setups(recipe, &p, err)) < 0)
        return r;
    if (!get(&p, recipe->end, (uint64_t)(recipe->end - p), &old_n) || old_n > (uint64_t)(recipe->end - p))
        return damaged(err, "a program is incomplete");
    recipe->old_program = p;
    recipe->new_program = p + old_n;
    return measure(recipe, err);
}

/* Reads a recipe of n bytes, compressed with zstd or not. */
static int read_bytes(struct delta_input *input, struct recipe *recipe, size_t n, bool is_packed, struct hf_err *err)
{
    _cleanup_(hf_freep) unsigned char *packed = NULL;
    uint64_t packed_n = n;
    int r = is_packed ? delta_input_varint(input, RECIPE_MAX, &packed_n, err) : 0;

    if (r < 0)
        return hf_err_wrap(err, r, "delta recipe");
    if (packed_n > input->left)
        return damaged(err, "it is longer than the delta");
    recipe->bytes = malloc(n + 1);
    if (recipe->bytes == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    recipe->end = recipe->bytes + n;
    if (!is_packed)
        return delta_input_read(input, recipe->bytes, n, err);
    packed = malloc((size_t)packed_n + 1);
    if (packed == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    if ((r = delta_input_read(input, packed, (size_t)packed_n, err)) < 0)
        return r;
    size_t got = ZSTD_decompress(recipe->bytes, n, packed, (size_t)packed_n);
    return ZSTD_isError(got) || got != n ? damaged(err, "it cannot be decompressed") : 0;
}

int recipe_read(struct delta_input *input, struct recipe *recipe, struct hf_err *err)
{
    uint64_t n;
    int r;

    memset(recipe, 0, sizeof(*recipe));
    if ((r = delta_input_varint(input, 2 * RECIPE_MAX + 1, &n, err)) < 0)
        return hf_err_wrap(err, r, "delta recipe");
    r = read_bytes(input, recipe, (size_t)(n / 2), n % 2 != 0, err);
    return r == 0 ? parse(recipe, err) : r;
}

/* ---- programs ---------------------------------------------------------------------------------------------------- */

static int next(const unsigned char **p, const unsigned char *end, struct recipe_op *op, struct hf_err *err)
{
    uint64_t what;

    memset(op, 0, sizeof(*op));
    if (!get(p, end, INT64_MAX, &op->raw) || !get(p, end, OP_STREAM, &what))
        return damaged(err, "a program is damaged");
    op->open = what == OP_STREAM;
    return 0;
}

int recipe_next_old(const unsigned char **p, const unsigned char *end, struct recipe_op *ret_op, struct hf_err *err)
{
    uint64_t codec, flags;
    int r = next(p, end, ret_op, err);

    if (r < 0 || !ret_op->open)
        return r;
    if (!get(p, end, PACK_CODEC_END - 1, &codec) || !get(p, end, TAIL, &flags) ||
        !get(p, end, INT64_MAX, &ret_op->packed_n))
        return damaged(err, "a program is damaged");
    ret_op->codec = (enum pack_codec)codec;
    ret_op->gzip_tail = flags == TAIL;
    return 0;
}

int recipe_next_new(const struct recipe *recipe, const unsigned char **p, struct recipe_op *ret_op, struct hf_err *err)
{
    uint64_t setup, flags, marks_n;
    int r = next(p, recipe->end, ret_op, err);

    if (r < 0 || !ret_op->open)
        return r;
    if (!get(p, recipe->end, RECIPE_SETUPS, &setup) || setup >= recipe->setups_n ||
        !get(p, recipe->end, TAIL, &flags) || !get(p, recipe->end, INT64_MAX, &ret_op->plain_n) ||
        !get(p, recipe->end, RECIPE_MAX, &marks_n) || marks_n > (size_t)(recipe->end - *p))
        return damaged(err, "a program is damaged");
    ret_op->setup = (size_t)setup;
    ret_op->gzip_tail = flags == TAIL;
    ret_op->marks = *p;
    ret_op->marks_n = (size_t)marks_n;
    *p += marks_n;
    return 0;
}

static int put(struct hf_buf *buf, uint64_t value)
{
    unsigned char bytes[10];

    return hf_buf_add(buf, bytes, delta_put_varint(bytes, value));
}

int recipe_put_old(struct hf_buf *program, const struct recipe_op *op)
{
    int r;

    if ((r = put(program, op->raw)) < 0 || (r = put(program, OP_STREAM)) < 0 || (r = put(program, op->codec)) < 0 ||
        (r = put(program, op->gzip_tail ? TAIL : 0)) < 0)
        return r;
    return put(program, op->packed_n);
}

int recipe_put_new(struct hf_buf *program, const struct recipe_op *op)
{
    int r;

    if ((r = put(program, op->raw)) < 0 || (r = put(program, OP_STREAM)) < 0 || (r = put(program, op->setup)) < 0 ||
        (r = put(program, op->gzip_tail ? TAIL : 0)) < 0 || (r = put(program, op->plain_n)) < 0 ||
        (r = put(program, op->marks_n)) < 0)
        return r;
    return op->marks_n > 0 ? hf_buf_add(program, op->marks, op->marks_n) : 0;
}

int recipe_put_end(struct hf_buf *program, uint64_t raw)
{
    int r = put(program, raw);

    return r == 0 ? put(program, OP_END) : r;
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

static int put_setup(struct hf_buf *buf, const struct recipe_setup *setup)
{
    size_t version_n = strlen(setup->version);
    int r;

    if ((r = put(buf, setup->setup.codec)) < 0 || (r = put(buf, setup->setup.params_n)) < 0 ||
        (r = hf_buf_add(buf, setup->setup.params, setup->setup.params_n)) < 0 || (r = put(buf, version_n)) < 0 ||
        (r = hf_buf_add(buf, setup->version, version_n)) < 0)
        return r;
    return version_n > 0 ? hf_buf_add(buf, setup->fingerprint, PACK_FINGERPRINT_BYTES) : 0;
}

static int format(const struct recipe *recipe, const struct hf_buf *old_program, const struct hf_buf *new_program,
                  struct hf_buf *plain)
{
    int r;

    if ((r = put(plain, recipe->memory_bytes)) < 0 || (r = put(plain, recipe->scratch_bytes)) < 0 ||
        (r = put(plain, recipe->parts_n)) < 0)
        return r;
    for (size_t i = 0; i < recipe->parts_n; i++)
        if ((r = put(plain, recipe->parts[i].size)) < 0 ||
            (r = hf_buf_add(plain, recipe->parts[i].sha256, HF_SHA256_BYTES)) < 0)
            return r;
    r = put(plain, recipe->setups_n);
    for (size_t i = 0; r == 0 && i < recipe->setups_n; i++)
        r = put_setup(plain, &recipe->setups[i]);
    if (r == 0)
        r = put(plain, old_program->n);
    if (r == 0)
        r = hf_buf_add(plain, old_program->p, old_program->n);
    return r == 0 ? hf_buf_add(plain, new_program->p, new_program->n) : r;
}

int recipe_write(const struct recipe *recipe, const struct hf_buf *old_program, const struct hf_buf *new_program,
                 struct hf_buf *out, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf plain = HF_BUF_INIT(RECIPE_MAX);
    _cleanup_(hf_freep) unsigned char *packed = NULL;
    int r = format(recipe, old_program, new_program, &plain);

    if (r < 0)
        return hf_err_sys(err, r, "write the recipe of the delta");
    size_t bound = ZSTD_compressBound(plain.n);
    packed = malloc(bound);
    if (packed == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    size_t n = ZSTD_compress(packed, bound, plain.p, plain.n, 19);
    if (ZSTD_isError(n))
        return hf_err_set(err, EIO, "compress the recipe of the delta: %s", ZSTD_getErrorName(n));
    /* A short recipe does not get shorter. */
    bool pays = n + 2 < plain.n;
    if ((r = put(out, 2 * plain.n + (pays ? 1 : 0))) == 0)
        r = pays ? put(out, n) : hf_buf_add(out, plain.p, plain.n);
    if (r == 0 && pays)
        r = hf_buf_add(out, packed, n);
    return r < 0 ? hf_err_sys(err, r, "write the recipe of the delta") : 0;
}

/* ---- libraries --------------------------------------------------------------------------------------------------- */

int recipe_check_libraries(const struct recipe *recipe, struct hf_err *err)
{
    unsigned char fingerprint[PACK_FINGERPRINT_BYTES];

    for (size_t i = 0; i < recipe->setups_n; i++) {
        const struct recipe_setup *setup = &recipe->setups[i];
        const char *ours = pack_codec_version(setup->setup.codec);
        if (ours == NULL || strcmp(ours, setup->version) == 0)
            continue;
        if (pack_encoder_memory(&setup->setup) > recipe->memory_bytes)
            return damaged(err, "it needs more memory than it states");
        int r = pack_encoder_fingerprint(&setup->setup, fingerprint, err);
        if (r == 0 && memcmp(fingerprint, setup->fingerprint, sizeof(fingerprint)) != 0)
            r = -EOPNOTSUPP;
        if (r == -EOPNOTSUPP || r == -EBADMSG)
            return hf_err_set(err, EOPNOTSUPP,
                              "the delta was made with %s, and %s compresses differently: fetch the whole file",
                              setup->version, ours);
        if (r < 0)
            return r;
    }
    return 0;
}
