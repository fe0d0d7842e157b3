/* SPDX-License-Identifier: Apache-2.0 */
/* What applying meets on a node: patches with any byte wrong.
 *
 * HF_CORRUPT=1 tries all 255 other values of every byte, and every length, of a patch of some 2 kB. */
#include <stdlib.h>

#include "faults.h"
#include "support/makers/elf_make.h"
#include "support/makers/wrong_byte.h"

/* FORMAT.md, "Memory": what an applier holds. */
enum { MEMORY_MAX = 5 << 19 };

static int apply_wrong(const struct wrong_byte *w, const struct hf_delta_in *in, const struct hf_delta_out *out,
                       struct hf_err *err)
{
    struct delta_io old = delta_io_of(w->ctx);
    const struct hf_delta_apply_params params = {
        .old = delta_io_old(&old), .patch = *in, .out = *out, .old_is_verified = true};

    return hf_delta_apply(&params, NULL, err);
}

static struct hf_buf code(unsigned functions, unsigned grown)
{
    struct elf_made made = elf_make(ELF_MAKE_AARCH64, functions, grown);
    struct hf_buf b = BUF;

    add(&b, made.p, made.n);
    free(made.p);
    return b;
}

static const struct {
    const char *name;
    enum hf_delta_profile profile;
    unsigned functions; /* 0: text */
} corruptions[] = {{"small, text", HF_DELTA_SMALL, 0},
                   {"small, code", HF_DELTA_SMALL, 280},
                   {"fast, text", HF_DELTA_FAST, 0},
                   {"fast, code", HF_DELTA_FAST, 200}};

/* Test i is part i % parts of case i / parts, with the same patch in all parts. */
START_TEST(corrupted)
{
    unsigned parts = wrong_byte_parts(), test = (unsigned)_i / parts, functions = corruptions[test].functions;

    draw_seed = 1;
    struct hf_buf old = functions > 0 ? code(functions, 0) : text(12000),
                  near = functions > 0 ? code(functions, 4) : edited(&old, 45),
                  patch = make(&old, &near, corruptions[test].profile);

    ck_assert_msg(patch.n >= 1800 && patch.n <= 3000, "the patch has %zu bytes", patch.n);
    wrong_byte_try(&(struct wrong_byte){.name = corruptions[test].name,
                                        .patch = &patch,
                                        .right = &near,
                                        .apply = apply_wrong,
                                        .ctx = &old,
                                        .memory_max = MEMORY_MAX},
                   (unsigned)_i % parts);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, corrupted, 0, (int)(HF_LEN(corruptions) * wrong_byte_parts()));
}

HF_TEST_MAIN_CPU("delta/faults", cases, getenv("HF_CORRUPT") != NULL ? 7200 : 300)
