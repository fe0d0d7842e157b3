/* SPDX-License-Identifier: Apache-2.0 */
/* The model by itself, with options that creating rarely chooses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/create.h"
#include "delta/image/elf.h"
#include "delta/stripes.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/makers/elf_make.h"

enum { FUNCTIONS = 12, COPY = 300, LITERALS = 200, NEW = 2 * COPY + LITERALS };

static int compare(void *ctx, const void *bytes, size_t n)
{
    const unsigned char **expected = ctx;

    ck_assert_mem_eq(*expected, bytes, n);
    *expected += n;
    return 0;
}

/* The image begins before, in or behind the literals. */
static const uint32_t image_at[] = {0, COPY - 1, COPY, COPY + 1, COPY + 64, COPY + LITERALS, COPY + LITERALS + 1};

/* Stripes: everything in one, or a few literals in each. */
static const uint64_t rooms[] = {DELTA_STRIPE_BYTES, 48, 17};

/* Literals between two copies learn the old bytes around them as if they stood in their place, also if an image
 * begins there that only the next copy activates. In quick blocks, and in blocks cut anywhere. */
START_TEST(literals_where_an_image_begins)
{
    static struct delta_memory memory;
    struct elf_made elf = elf_make(ELF_MAKE_X86_64, FUNCTIONS, 0);
    unsigned char new_bytes[NEW];
    struct delta_map_entry entries[] = {{0, 64, COPY}, {COPY + LITERALS, 64 + COPY + LITERALS, COPY}};
    const unsigned i = (unsigned)_i;
    struct delta_block_options options = {.quick = (i / HF_LEN(rooms) & 1) != 0};
    uint32_t at = image_at[i / (2 * HF_LEN(rooms))];
    struct delta_pair pair = {0, (uint32_t)elf.n, at, NEW - at};
    struct delta_image image;
    struct delta_shared_context shared = {.old = &memory.reader,
                                          .pairs = &pair,
                                          .pairs_n = 1,
                                          .new_images = &image,
                                          .old_size = elf.n,
                                          .new_size = NEW,
                                          .predictors = DELTA_PREDICT_REFERENCES};
    _cleanup_(hf_buf_done) struct hf_buf part = HF_BUF_INIT(1 << 16);
    struct hf_err err = HF_ERR_INIT;

    delta_memory_open(&memory, elf.p, elf.n);
    ck_assert_int_eq(delta_image_read(&memory.reader, 0, elf.n, &image, &err), 0);
    ck_assert_int_eq(delta_map_alloc(&shared.map, HF_LEN(entries), &err), 0);
    memcpy(shared.map.p, entries, sizeof(entries));
    delta_map_sort(&shared.map);
    memcpy(new_bytes, elf.p + 64, NEW);
    memset(new_bytes + COPY, 'x', LITERALS);

    const struct delta_make make = {.new_bytes = new_bytes, .new_n = NEW, .copies = {0}};
    static struct delta_old literals_old;
    struct delta_stripe_encoder encoder = {.make = &make,
                                           .map = &shared.map,
                                           .room = rooms[i % HF_LEN(rooms)],
                                           .part = HF_BUF_INIT(1 << 16),
                                           .model = delta_model_new(&shared),
                                           .literals = delta_literals_new(&shared, &literals_old)};
    literals_old = memory.reader;
    ck_assert_int_eq(delta_stripes_make(&encoder, 0, NEW, &options, &part, &err), 0);
    ck_assert_uint_lt(part.n, encoder.room == DELTA_STRIPE_BYTES ? NEW / 2 : 2 * NEW);
    delta_literals_free(encoder.literals);
    delta_model_free(encoder.model);
    hf_buf_done(&encoder.part);

    const unsigned char *expected = new_bytes;
    struct delta_io coded = delta_io_of(&part);
    const struct hf_delta_in in = delta_io_in(&coded);
    const struct hf_delta_out out = {&expected, compare};
    static struct delta_input input;
    static unsigned char pending[DELTA_PENDING_BYTES];
    struct delta_apply_state run = {.header = {.old_size = elf.n, .new_size = NEW},
                                    .input = &input,
                                    .old = &memory.reader,
                                    .output = {.out = &out, .size = NEW, .pending = pending}};
    struct delta_stripes *stripes;
    hf_sha256_init(&run.output.hash);
    delta_input_init(&input, &in);
    input.left = part.n;
    ck_assert_int_eq(delta_stripes_open(&run, &shared, &stripes, &err), 0);
    ck_assert_int_eq(delta_stripes_apply(stripes, 0, NEW, &err), 0);
    delta_stripes_close(stripes);
    ck_assert_int_eq(delta_output_flush(&run.output, &err), 0);
    ck_assert_ptr_eq(expected, new_bytes + NEW);
    ck_assert_uint_eq(input.left, 0);

    delta_input_init(&input, &in);
    coded = delta_io_of(&part);
    input.left = part.n;
    ck_assert_int_eq(delta_stripes_skip(&input, &err), 0);
    ck_assert_uint_eq(input.left, 0);

    delta_map_done(&shared.map);
    free(elf.p);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, literals_where_an_image_begins, 0, 2 * HF_LEN(rooms) * HF_LEN(image_at));
}

HF_TEST_MAIN("delta/model", cases)
