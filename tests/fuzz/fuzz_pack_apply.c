/* A deep delta whose recipe, programs and inner delta come from the input; old is fixed. The input's first two bytes say
 * how long the recipe is; it is packed here, because a fuzzer does not find its way through zstd. */
#include <stdint.h>
#include <string.h>
#include <zstd.h>

#include "base/buf.h"
#include "pack/recipe.h"
#include "support/delta_io.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

/* A gzip member of "hello hello hello hello\n" beside some text. */
static const unsigned char old_bytes[] = {'t',  'e',  'x',  't',  0x1f, 0x8b, 8,    0,    0,    0,    0,    0,    0,
                                          3,    0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x57, 0xc8, 0x40, 0x27, 0xb8, 0x00, 0x00,
                                          0x88, 0x59, 0x0b, 0x18, 0x18, 0x00, 0x00, 0x00, 'm',  'o',  'r',  'e'};

static int put(void *ctx, const void *p, size_t n)
{
    (void)p;
    *(uint64_t *)ctx += n;
    return 0;
}

static void make_patch(const uint8_t *bytes, size_t n, struct hf_buf *patch)
{
    struct delta_header header = {
        .version = DELTA_VERSION, .method = DEEP_METHOD, .old_size = sizeof(old_bytes), .new_size = 4096};
    unsigned char head[DELTA_HEADER_MAX], packed[4096], numbers[20];
    size_t recipe_n = n < 2 ? 0 : HF_MIN((size_t)(bytes[0] | bytes[1] << 8), HF_MIN(n - 2, (size_t)2048)), k;
    const uint8_t *recipe = n < 2 ? bytes : bytes + 2, *rest = recipe + recipe_n;
    size_t rest_n = n < 2 ? 0 : n - 2 - recipe_n, packed_n = ZSTD_compress(packed, sizeof(packed), recipe, recipe_n, 1);

    k = delta_put_varint(numbers, recipe_n);
    k += delta_put_varint(numbers + k, packed_n);
    header.body_size = k + packed_n + rest_n;
    if (hf_buf_add(patch, head, delta_header_format(&header, head)) < 0 || hf_buf_add(patch, numbers, k) < 0 ||
        hf_buf_add(patch, packed, packed_n) < 0 || (rest_n > 0 && hf_buf_add(patch, rest, rest_n) < 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    _cleanup_(hf_buf_done) struct hf_buf patch = HF_BUF_INIT(1 << 24);
    struct hf_err err = HF_ERR_INIT;
    uint64_t written = 0;

    make_patch(bytes, n, &patch);
    struct delta_io old = {.p = old_bytes, .n = sizeof(old_bytes)}, in = delta_io_of(&patch);
    const struct hf_deep_apply_params params = {.delta = {.old = delta_io_old(&old),
                                                          .patch = delta_io_in(&in),
                                                          .out = {&written, put},
                                                          .old_is_verified = true},
                                                .memory_max = 64 << 20,
                                                .scratch_max = 1 << 20};
    int r = hf_deep_apply(&params, NULL, &err);
    if (r == 0 || err.cause[0] == '\0' || written > 4096)
        abort(); /* no input has the right hashes */
    return 0;
}
