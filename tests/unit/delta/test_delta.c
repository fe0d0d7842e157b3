/* The engine through its public interface: what is made comes back, and nothing damaged gets through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "support/check_main.h"
#include "support/delta_io.h"
#include "support/draw.h"
#include "support/elf_make.h"

#define BUF HF_BUF_INIT(16 << 20)

static void add(struct hf_buf *buf, const void *bytes, size_t n)
{
    ck_assert_int_eq(hf_buf_add(buf, bytes, n), 0);
}

static struct hf_buf text(size_t n)
{
    struct hf_buf b = BUF;

    while (b.n < n) {
        char line[80];
        int length =
            snprintf(line, sizeof(line), "line %u of %u: value = %u;\n", draw() % 977, draw() % 13, draw() % 100000);
        add(&b, line, (size_t)length);
    }
    b.n = n;
    return b;
}

/* A copy with edits: changed bytes, insertions, deletions, a moved part. */
static struct hf_buf edited(const struct hf_buf *from, unsigned edits)
{
    struct hf_buf b = BUF;
    size_t step = from->n / (edits + 1), at = 0;

    for (unsigned i = 0; i < edits; i++) {
        add(&b, from->p + at, step);
        at += step;
        switch (draw() % 4) {
        case 0:
            if (b.n > 0)
                b.p[draw() % b.n] ^= (char)draw();
            break;
        case 1: {
            uint32_t word[4] = {draw(), draw(), draw(), draw()};
            add(&b, word, sizeof(word));
            break;
        }
        case 2:
            at += draw() % (step + 1);
            step = (from->n - at) / (edits - i);
            break;
        default:
            if (from->n > 64)
                add(&b, from->p + draw() % (from->n - 64), 64);
        }
    }
    add(&b, from->p + at, from->n - at);
    return b;
}

static struct hf_buf make(const struct hf_buf *old, const struct hf_buf *new_bytes, enum hf_delta_profile profile)
{
    struct hf_delta_create_params params = {.profile = profile};
    struct hf_buf patch = BUF;
    struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;
    int r = hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, &err);

    ck_assert_msg(r == 0, "create: %s", err.cause);
    return patch;
}

static int apply(const struct hf_buf *old, const struct hf_buf *patch, struct hf_buf *made, struct hf_err *err)
{
    struct delta_io from = delta_io_of(old), in = delta_io_of(patch);
    const struct hf_delta_apply_params params = delta_io_params(&from, &in, made);

    made->n = 0;
    return hf_delta_apply(&params, NULL, err);
}

static void comes_back(const struct hf_buf *old, const struct hf_buf *new_bytes, enum hf_delta_profile profile,
                       const char *name)
{
    struct hf_buf patch = make(old, new_bytes, profile), again = make(old, new_bytes, profile), made = BUF;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(patch.n == again.n && memcmp(patch.p, again.p, patch.n) == 0, "%s: not deterministic", name);
    struct delta_io from = {.p = old->p, .n = old->n, .step = 1001}, in = {.p = patch.p, .n = patch.n, .step = 7};
    const struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    int r = hf_delta_apply(&params, NULL, &err);
    ck_assert_msg(r == 0, "%s: %s", name, err.cause);
    ck_assert_msg(made.n == new_bytes->n && (made.n == 0 || memcmp(made.p, new_bytes->p, made.n) == 0), "%s: differs",
                  name);
    hf_buf_done(&patch);
    hf_buf_done(&again);
    hf_buf_done(&made);
}

static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, 150000};

START_TEST(round_trip)
{
    struct hf_buf old = text(sizes[_i]), empty = BUF, near = edited(&old, 20), far = text(sizes[_i] / 2);

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        comes_back(&old, &old, profile, "same");
        comes_back(&old, &near, profile, "near");
        comes_back(&near, &old, profile, "near, back");
        comes_back(&old, &far, profile, "far");
        comes_back(&old, &empty, profile, "to nothing");
        comes_back(&empty, &old, profile, "from nothing");
    }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&far);
}
END_TEST

START_TEST(wrong_old)
{
    struct hf_buf old = text(50000), near = edited(&old, 5), patch = make(&old, &near, _i), made = BUF;
    struct hf_err err = HF_ERR_INIT;

    old.p[4711] ^= 1;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    ck_assert_uint_eq(made.n, 0);
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    params.old_is_verified = true;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ESTALE);
    old.n--;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

/* Every value of one byte at a few positions, one flipped bit at all of them, every length. */
START_TEST(damage)
{
    struct hf_buf old = text(30000), near = edited(&old, 40), patch = make(&old, &near, _i), made = BUF;
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < patch.n; i++) {
        char kept = patch.p[i];
        patch.p[i] ^= (char)(1u << draw() % 8);
        int r = apply(&old, &patch, &made, &err);
        ck_assert_msg(r < 0 || (made.n == near.n && memcmp(made.p, near.p, near.n) == 0), "byte %zu", i);
        ck_assert_msg(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE, "byte %zu: %d", i, r);
        patch.p[i] = kept;
    }
    for (size_t n = patch.n; n-- > 0;) {
        struct hf_buf cut = {patch.p, n, n, n};
        ck_assert_int_eq(apply(&old, &cut, &made, &err), -EBADMSG);
    }
    patch.n++;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -EBADMSG);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

START_TEST(callbacks_fail)
{
    struct hf_buf old = text(300000), near = edited(&old, 5), patch = make(&old, &near, _i), made = BUF;
    struct hf_buf small = HF_BUF_INIT(100000);
    struct delta_io from = delta_io_of(&old), in = {.p = patch.p, .n = patch.n, .step = 100, .fail_at = 80};
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);
    struct hf_err err = HF_ERR_INIT;
    atomic_bool cancel = true;

    ck_assert_int_eq(apply(&old, &patch, &small, &err), -E2BIG);
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -EIO);
    in = delta_io_of(&patch);
    params.cancel = &cancel;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ECANCELED);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
    hf_buf_done(&small);
}
END_TEST

struct kept {
    struct hf_delta_checkpoint points[8];
    unsigned n;
};

static int keep(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    struct kept *kept = ctx;

    ck_assert_uint_lt(kept->n, 8);
    kept->points[kept->n++] = *checkpoint;
    return 0;
}

START_TEST(resume)
{
    struct hf_buf old = text((8 << 20) + 70000), near = edited(&old, 20), patch = make(&old, &near, _i), made = BUF;
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);

    params.checkpoint = keep;
    params.checkpoint_ctx = &kept;

    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    ck_assert_uint_eq(kept.n, (near.n - 1) / (4 << 20));
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        in.at = 0;
        made.n = kept.points[i].new_offset;
        params.resume = &kept.points[i];
        int r = hf_delta_apply(&params, NULL, &err);
        ck_assert_msg(r == 0, "resume %u: %s", i, err.cause);
        ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
        ignored.n = 0;
    }
    struct hf_delta_checkpoint odd = kept.points[0];
    odd.new_offset++;
    params.resume = &odd;
    in.at = 0;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -EINVAL);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

START_TEST(info)
{
    struct hf_buf old = text(5000), near = edited(&old, 5), patch = make(&old, &near, _i);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_delta_info told;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), 0);
    ck_assert_uint_eq(told.version, 1);
    ck_assert_uint_eq(told.old_size, old.n);
    ck_assert_uint_eq(told.new_size, near.n);
    ck_assert_uint_eq(told.patch_size, patch.n);
    ck_assert_uint_eq(told.profile, (unsigned)_i);
    bytes.at = 0;
    patch.p[3] = 2;
    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), -EOPNOTSUPP);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

static const struct {
    const char *name;
    enum elf_make_machine machine;
    unsigned grown, limit[2];
} images[] = {
    {"x86-64, a few grew", ELF_MAKE_X86_64, 50, {1200, 1600}},
    {"x86-64, one in three grew", ELF_MAKE_X86_64, 3, {8000, 12000}},
    {"AArch64, a few grew", ELF_MAKE_AARCH64, 50, {1200, 1600}},
    {"AArch64, one in three grew", ELF_MAKE_AARCH64, 3, {8000, 12000}},
    {"RISC-V, a few grew", ELF_MAKE_RISCV, 50, {1200, 1600}},
    {"RISC-V, one in three grew", ELF_MAKE_RISCV, 3, {8000, 12000}},
    {"ARM, a few grew", ELF_MAKE_ARM, 50, {1800, 3000}},
    {"ARM, one in three grew", ELF_MAKE_ARM, 3, {8000, 20000}},
    {"32-bit x86, a few grew", ELF_MAKE_I386, 50, {1200, 1600}},
    {"32-bit x86, one in three grew", ELF_MAKE_I386, 3, {8000, 12000}},
};

static struct hf_buf buf_of(const struct elf_made *made)
{
    return (struct hf_buf){(char *)made->p, made->n, made->n, made->n};
}

/* A library of some 150 kB in which every address moved. */
START_TEST(image)
{
    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct elf_made a = elf_make(images[_i].machine, 400, 0),
                        b = elf_make(images[_i].machine, 400, images[_i].grown);
        const struct hf_buf old = buf_of(&a), near = buf_of(&b);
        struct hf_buf patch = make(&old, &near, profile);
        ck_assert_msg(patch.n < images[_i].limit[profile], "%s: %zu bytes", images[_i].name, patch.n);
        comes_back(&old, &near, profile, images[_i].name);
        comes_back(&near, &old, profile, images[_i].name);
        hf_buf_done(&patch);
        free(a.p);
        free(b.p);
    }
}
END_TEST

/* Libraries in a tar, between texts; another time of change on every member. */
static struct hf_buf archive(unsigned grown, const char *time)
{
    struct hf_buf tar = BUF;

    for (unsigned i = 0; i < 6; i++) {
        static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM,
                                                         ELF_MAKE_RISCV,  ELF_MAKE_AARCH64, ELF_MAKE_I386};
        struct elf_made elf = elf_make(machines[i], 40 + i, grown);
        unsigned char header[512] = {0}, padding[512] = {0};
        unsigned sum = 0;
        (void)snprintf((char *)header, 100, "lib/member-%u.so", i);
        (void)snprintf((char *)header + 100, 37, "0000644%c0000000%c0000000%c%011zo", 0, 0, 0, elf.n);
        (void)snprintf((char *)header + 136, 12, "%s", time);
        memcpy(header + 148, "        0", 9);
        memcpy(header + 257, "ustar  ", 8);
        for (unsigned k = 0; k < 512; k++)
            sum += header[k];
        (void)snprintf((char *)header + 148, 8, "%06o", sum);
        add(&tar, header, 512);
        add(&tar, elf.p, elf.n);
        add(&tar, padding, (512 - elf.n % 512) % 512);
        free(elf.p);
    }
    return tar;
}

START_TEST(images_in_archive)
{
    struct hf_buf old = archive(0, "15054314200"), near = archive(7, "15256615553"), same = archive(0, "15256615553");

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct hf_buf patch = make(&old, &same, profile);
        ck_assert_msg(patch.n < 300, "only times changed: %zu bytes", patch.n);
        comes_back(&old, &near, profile, "libraries in a tar");
        comes_back(&old, &same, profile, "times in a tar");
        hf_buf_done(&patch);
    }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&same);
}
END_TEST

/* The same in a cpio (newc): members begin at every 4th byte, so that any change moves those behind it to other borders. */
static struct hf_buf cpio(unsigned grown, size_t config)
{
    struct hf_buf out = BUF;
    unsigned char text[256] = {0};

    for (unsigned i = 0; i < 6; i++) {
        static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM,
                                                         ELF_MAKE_RISCV,  ELF_MAKE_AARCH64, ELF_MAKE_I386};
        struct elf_made elf = elf_make(machines[i], 40 + i, grown);
        char header[128] = {0};
        (void)snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08X%08X", i + 1,
                       0x81a4, 0, 0, 1, 1760000000, elf.n, 0, 0, 0, 0, 14, 0);
        (void)snprintf(header + 110, 15, "lib/member-%u", i);
        add(&out, header, 124);
        add(&out, elf.p, elf.n);
        add(&out, text, (4 - elf.n % 4) % 4);
        if (i == 0)
            add(&out, text, config);
        free(elf.p);
    }
    return out;
}

START_TEST(images_in_cpio)
{
    struct hf_buf old_tar = archive(0, "15054314200"), near_tar = archive(7, "15054314200");
    struct hf_buf old = cpio(0, 100), near = cpio(7, 108);

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct hf_buf tar_patch = make(&old_tar, &near_tar, profile), patch = make(&old, &near, profile);
        ck_assert_msg(patch.n < tar_patch.n + 256, "%zu bytes in a cpio, %zu in a tar", patch.n, tar_patch.n);
        comes_back(&old, &near, profile, "libraries in a cpio");
        hf_buf_done(&tar_patch);
        hf_buf_done(&patch);
    }
    hf_buf_done(&old_tar);
    hf_buf_done(&near_tar);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* One flipped bit at every place (of x86-64, else at every fifth) of the patch of an image: predictors see nonsense and
 * stay inside their bounds. */
START_TEST(image_damage)
{
    static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_ARM, ELF_MAKE_RISCV, ELF_MAKE_I386};
    enum elf_make_machine machine = machines[_i / 2];
    struct elf_made a = elf_make(machine, 60, 0), b = elf_make(machine, 60, 4);
    const struct hf_buf old = buf_of(&a), near = buf_of(&b);
    struct hf_buf patch = make(&old, &near, _i % 2), made = BUF;
    struct hf_err err = HF_ERR_INIT;
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);

    params.old_is_verified = true;

    for (size_t i = 0; i < patch.n; i += _i < 2 ? 1 : 5) {
        char kept = patch.p[i];
        patch.p[i] ^= (char)(1u << draw() % 8);
        in.at = made.n = 0;
        int r = hf_delta_apply(&params, NULL, &err);
        ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && memcmp(made.p, b.p, b.n) == 0),
                      "byte %zu: %d", i, r);
        patch.p[i] = kept;
    }
    hf_buf_done(&patch);
    hf_buf_done(&made);
    free(a.p);
    free(b.p);
}
END_TEST

/* The number of threads changes no byte; progress may cancel. */
static int stop(void *ctx, uint64_t done, uint64_t total)
{
    (void)ctx;
    (void)done;
    (void)total;
    return 1;
}

START_TEST(threads)
{
    struct hf_buf old = text(400000), near = edited(&old, 30), out[2] = {BUF, BUF};
    struct hf_err err = HF_ERR_INIT;

    for (unsigned i = 0; i < 2; i++) {
        struct hf_delta_create_params params = {.threads = i == 0 ? 1 : 3};
        struct hf_delta_out sink = delta_io_out(&out[i]);
        ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), 0);
    }
    ck_assert(out[0].n == out[1].n && memcmp(out[0].p, out[1].p, out[0].n) == 0);
    struct hf_delta_create_params params = {.progress = stop};
    struct hf_delta_out sink = delta_io_out(&out[0]);
    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), -ECANCELED);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&out[0]);
    hf_buf_done(&out[1]);
}
END_TEST

struct listener {
    unsigned calls, stop_at;
};

static int listen(void *ctx, uint64_t done, uint64_t total)
{
    struct listener *l = ctx;

    ck_assert_uint_le(done, total);
    return ++l->calls == l->stop_at;
}

/* Wherever it is told so, once for each 64 KiB and way; close files without images have two ways more in the fast profile. */
START_TEST(canceled)
{
    struct hf_buf old = text(200000), near = edited(&old, 30), patch = BUF;
    struct listener l = {0};
    struct hf_delta_create_params params = {.profile = _i, .progress = listen, .progress_ctx = &l};
    struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err;
    int r;

    do {
        l.calls = 0;
        l.stop_at++;
        hf_buf_clear(&patch);
        r = hf_delta_create(old.p, old.n, near.p, near.n, &params, &out, &err);
        ck_assert_int_eq(r, l.calls >= l.stop_at ? -ECANCELED : 0);
    } while (r != 0);
    ck_assert_uint_eq(l.calls, near.n / 65536 * (_i == HF_DELTA_FAST ? 2 : 1));
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

START_TEST(check)
{
    struct hf_buf old = text(90000), near = edited(&old, 9), patch = make(&old, &near, _i);
    struct delta_io bytes = delta_io_of(&patch);
    const struct hf_delta_in in = delta_io_in(&bytes);
    struct hf_delta_info told;
    struct hf_delta_parts parts;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_check(&in, &told, &parts, &err), 0);
    ck_assert_uint_eq(parts.header_bytes + parts.map_bytes + parts.block_bytes, patch.n);
    ck_assert_uint_eq(parts.blocks, 1);
    ck_assert_str_ne(hf_delta_method_name(told.method), "unknown");
    ck_assert_str_eq(hf_delta_method_name(99), "unknown");
    bytes.at = 0;
    patch.p[patch.n - 1] ^= 1;
    ck_assert_int_eq(hf_delta_check(&in, NULL, NULL, &err), -EBADMSG);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&patch);
}
END_TEST

/* Refused before a byte is looked at. */
START_TEST(too_large)
{
    static const size_t sizes_of[][2] = {
        {HF_DELTA_CREATE_MAX_BYTES, 1}, {1, HF_DELTA_CREATE_MAX_BYTES}, {(size_t)5 << 30, (size_t)3 << 30}};
    const struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    struct hf_buf patch = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);

    for (size_t i = 0; i < HF_LEN(sizes_of); i++) {
        struct hf_err err = HF_ERR_INIT;
        int r = hf_delta_create("", sizes_of[i][0], "", sizes_of[i][1], &params, &out, &err);
        ck_assert(r == -EFBIG && strstr(err.cause, "below 2 GiB") != NULL && patch.n == 0);
    }
}
END_TEST

/* ---- the smallest of changes ----------------------------------------------------------------------------------------- */

enum { HEADER = 5 + 3 + 1 + 1 + 32 + 4 + 4 };

static const struct {
    const char *name;
    unsigned header_and_body; /* at most so many bytes */
} tiny[] = {
    {"the same", HEADER - 8},
    {"one byte", HEADER + 5},
    {"appended", HEADER + 6 + 100},
    {"the front is gone", HEADER + 6},
    {"empty new", 11},
    {"empty old", HEADER - 4 + 2 + 100},
    {"built anew", HEADER + 50},
    {"a digit by chance", HEADER + 50},
    {"two blocks", HEADER + 52},
    {"zero bytes", HEADER + 8},
    {"over and over, between blocks", HEADER + 30},
    {"a few bytes", 15 + 32},
    {"one more than that", HEADER + 2 + 35},
    {"nothing to be coded", HEADER + 6 + 8192},
};

static void put_hex(struct hf_buf *b, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < 2 * n; i++)
        add(b, &digits[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15], 1);
}

/* An ID, much else, the ID in hex digits, its end. */
static struct hf_buf built(const unsigned char *id, size_t between)
{
    struct hf_buf b = BUF, much;

    draw_seed = 5;
    much = text(between);
    add(&b, "head of the file", 16);
    add(&b, id, 20);
    add(&b, much.p, much.n);
    put_hex(&b, id + 1, 19);
    add(&b, ".debug and the rest", 19);
    hf_buf_done(&much);
    return b;
}

/* Zero bytes; three bytes over and over, over the border of a block; as many bytes as a hash has, one more, many more. */
static void make_tinier(int i, struct hf_buf *old, struct hf_buf *near)
{
    static const unsigned char zero[4096], three[] = "abc";

    *near = (struct hf_buf)BUF;
    if (i == 10)
        add(near, old->p, 50000);
    for (unsigned k = 0; i == 9 && k < 25; k++)
        add(near, zero, sizeof(zero));
    for (unsigned k = 0; i == 10 && k < (4 << 20) / 3; k++)
        add(near, three, 3);
    if (i == 10)
        add(near, old->p + 50000, 50000);
    for (unsigned k = 0; i > 10 && k < (i == 13 ? 8192 : 32U + (i == 12)); k++)
        add(near, &(unsigned char){(unsigned char)draw()}, 1);
}

static void make_tiny(int i, struct hf_buf *old, struct hf_buf *near)
{
    unsigned char id[2][20];

    *old = text(100000);
    for (unsigned k = 0; k < 40; k++)
        id[k / 20][k % 20] = (unsigned char)(draw() >> 3);
    if (i == 7)
        id[1][1] = (unsigned char)((id[0][1] & 0xf0) | (id[1][1] & 15));
    if (i >= 9) {
        make_tinier(i, old, near);
        return;
    }
    if (i >= 6) {
        hf_buf_done(old);
        /* the border of a block falls among the digits */
        size_t between = i == 8 ? (4 << 20) - 16 - 20 - 13 : 60000;
        *old = built(id[0], between);
        *near = built(id[1], between);
        return;
    }
    *near = (struct hf_buf)BUF;
    if (i == 3)
        add(near, old->p + 40000, old->n - 40000);
    else if (i != 4 && i != 5)
        add(near, old->p, old->n);
    if (i == 1)
        near->p[70000] ^= 1;
    for (unsigned k = 0; k < 25 && (i == 2 || i == 5); k++) {
        uint32_t word = draw() << 8 ^ draw();
        add(near, &word, sizeof(word));
    }
    if (i == 5)
        old->n = 0;
}

START_TEST(smallest)
{
    struct hf_buf old, near, made = BUF, patch;
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;

    make_tiny(_i, &old, &near);
    patch = make(&old, &near, HF_DELTA_FAST);
    ck_assert_msg(patch.n <= tiny[_i].header_and_body, "%s: %zu bytes", tiny[_i].name, patch.n);
    comes_back(&old, &near, HF_DELTA_SMALL, tiny[_i].name);
    struct delta_io from = delta_io_of(&old), in = delta_io_of(&patch);
    struct hf_delta_apply_params params = delta_io_params(&from, &in, &made);

    params.checkpoint = keep;
    params.checkpoint_ctx = &kept;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        in.at = 0;
        made.n = kept.points[i].new_offset;
        params.resume = &kept.points[i];
        ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
        ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    }
    ck_assert_uint_eq(kept.n, near.n > 4 << 20);
    unsigned step = near.n > (4 << 20) || patch.n > 4096 ? 8 : 1; /* these take longer */
    for (size_t i = 0; i < patch.n; i++)
        for (unsigned bit = i % 4; bit < 8; bit += step) {
            patch.p[i] ^= (char)(1u << bit);
            int r = apply(&old, &patch, &made, &err);
            ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && i == 4), "byte %zu: %d", i,
                          r);
            patch.p[i] ^= (char)(1u << bit);
        }
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&made);
    hf_buf_done(&patch);
}
END_TEST

/* Bytes that cannot be packed, with pieces of old: what is made of them is what they are but for the pieces. */
START_TEST(packed_already)
{
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&near, &word, sizeof(word));
        if (i % 100 == 0)
            add(&near, old.p + draw() % (old.n - 50), 50);
    }
    struct hf_buf patch = make(&old, &near, _i);
    ck_assert_msg(patch.n < near.n - 500 * 40, "%zu bytes of %zu", patch.n, near.n);
    comes_back(&old, &near, _i, "packed");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* With less memory: another delta, of the same file. */
START_TEST(lean)
{
    const struct hf_delta_create_params params = {.lean = (unsigned)_i};
    struct hf_buf old = text(20000), near = text(150000), usual = make(&old, &near, HF_DELTA_SMALL), patch = BUF,
                  made = BUF;
    const struct hf_delta_out out = delta_io_out(&patch);
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &out, &err), 0);
    ck_assert_int_eq(apply(&old, &patch, &made, &err), 0);
    ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    ck_assert(patch.n != usual.n || memcmp(patch.p, usual.p, usual.n) != 0);
    hf_buf_done(&old);
    hf_buf_done(&near);
    hf_buf_done(&usual);
    hf_buf_done(&patch);
    hf_buf_done(&made);
}
END_TEST

/* Bytes that cannot be packed take no more than they are, between what old has, in blocks quick and not. */
START_TEST(as_they_are)
{
    enum { PIECES = 5, PIECE = 8000 };
    struct hf_buf old = BUF, near = BUF;

    for (unsigned i = 0; i < 300000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        add(&old, &word, sizeof(word));
    }
    add(&near, old.p, 100);
    for (unsigned i = 0; i < PIECES; i++) {
        for (unsigned k = 0; k < PIECE / 2; k++) {
            uint16_t word = (uint16_t)(draw() >> 3);
            add(&near, &word, sizeof(word));
        }
        add(&near, old.p + i * (_i != 0 ? 100000 : 1000), _i != 0 ? 100000 : 1000);
    }
    struct hf_buf patch = make(&old, &near, HF_DELTA_SMALL);
    ck_assert_msg(patch.n < PIECES * (PIECE + 16) + 80, "%zu bytes", patch.n);
    comes_back(&old, &near, HF_DELTA_SMALL, "as they are");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&near);
}
END_TEST

/* What tells itself in next to nothing, though old has pieces of it everywhere. */
START_TEST(zero_bytes)
{
    struct hf_buf old = BUF, zeros = BUF;

    for (unsigned i = 0; i < 25000; i++) {
        uint64_t word = (i * 2654435761u >> 8) % 5 < 2 ? draw() * (UINT64_C(1) << 31) + draw() : 0;
        add(&old, &word, sizeof(word));
    }
    ck_assert_int_eq(hf_buf_reserve(&zeros, 1000000), 0);
    memset(zeros.p, 0, zeros.n = 1000000);
    struct hf_buf patch = make(&old, &zeros, _i);
    ck_assert_msg(patch.n < 1000, "%zu bytes", patch.n);
    comes_back(&old, &zeros, _i, "zeros");
    hf_buf_done(&patch);
    hf_buf_done(&old);
    hf_buf_done(&zeros);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, zero_bytes, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, lean, 1, 3);
    tcase_add_loop_test(tc, as_they_are, 0, 2);
    tcase_add_loop_test(tc, packed_already, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, smallest, 0, HF_LEN(tiny));
    tcase_add_test(tc, too_large);
    tcase_add_loop_test(tc, round_trip, 0, HF_LEN(sizes));
    tcase_add_loop_test(tc, wrong_old, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, damage, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, callbacks_fail, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, resume, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, image, 0, HF_LEN(images));
    tcase_add_test(tc, images_in_archive);
    tcase_add_test(tc, images_in_cpio);
    tcase_add_loop_test(tc, image_damage, 0, 8);
    tcase_add_test(tc, threads);
    tcase_add_loop_test(tc, canceled, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, check, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, info, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
}

HF_TEST_MAIN_CPU("delta", cases, 300)
