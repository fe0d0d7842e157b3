/* The engine through its public interface: what is made comes back, and nothing damaged gets through. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "support/check_main.h"
#include "support/elf_make.h"

struct bytes {
    unsigned char *p;
    size_t n, cap, at;
    size_t step;    /* at most so many bytes per read, 0: no limit */
    size_t fail_at; /* reads and writes beyond this position fail with EIO; 0: never */
};

static int put(void *ctx, const void *bytes, size_t n)
{
    struct bytes *b = ctx;

    if (b->fail_at > 0 && b->n + n > b->fail_at)
        return -ENOSPC;
    if (b->n + n > b->cap) {
        b->cap = 2 * (b->n + n);
        b->p = realloc(b->p, b->cap);
    }
    if (n > 0)
        memcpy(b->p + b->n, bytes, n);
    b->n += n;
    return 0;
}

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    struct bytes *b = ctx;

    if (b->fail_at > 0 && b->at >= b->fail_at)
        return -EIO;
    if (n > b->n - b->at)
        n = b->n - b->at;
    if (b->step > 0 && n > b->step)
        n = b->step;
    if (n > 0)
        memcpy(bytes, b->p + b->at, n);
    b->at += n;
    return (ssize_t)n;
}

static ssize_t get_at(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    struct bytes *b = ctx;

    if (offset >= b->n)
        return 0;
    if (n > b->n - offset)
        n = b->n - (size_t)offset;
    if (b->step > 0 && n > b->step)
        n = b->step;
    memcpy(bytes, b->p + offset, n);
    return (ssize_t)n;
}

static uint32_t seed = 1;

static uint32_t draw(void)
{
    seed = seed * 1664525 + 1013904223;
    return seed >> 8;
}

static struct bytes text(size_t n)
{
    struct bytes b = {0};

    while (b.n < n) {
        char line[80];
        int length =
            snprintf(line, sizeof(line), "line %u of %u: value = %u;\n", draw() % 977, draw() % 13, draw() % 100000);
        (void)put(&b, line, (size_t)length);
    }
    b.n = n;
    return b;
}

/* A copy with edits: changed bytes, insertions, deletions, a moved part. */
static struct bytes edited(const struct bytes *from, unsigned edits)
{
    struct bytes b = {0};
    size_t step = from->n / (edits + 1), at = 0;

    for (unsigned i = 0; i < edits; i++) {
        (void)put(&b, from->p + at, step);
        at += step;
        switch (draw() % 4) {
        case 0:
            if (b.n > 0)
                b.p[draw() % b.n] ^= (unsigned char)draw();
            break;
        case 1: {
            uint32_t word[4] = {draw(), draw(), draw(), draw()};
            (void)put(&b, word, sizeof(word));
            break;
        }
        case 2:
            at += draw() % (step + 1);
            step = (from->n - at) / (edits - i);
            break;
        default:
            if (from->n > 64)
                (void)put(&b, from->p + draw() % (from->n - 64), 64);
        }
    }
    (void)put(&b, from->p + at, from->n - at);
    return b;
}

static struct bytes make(const struct bytes *old, const struct bytes *new_bytes, enum hf_delta_profile profile)
{
    struct hf_delta_create_params params = {.profile = profile};
    struct bytes patch = {0};
    struct hf_delta_out out = {&patch, put};
    struct hf_err err = HF_ERR_INIT;
    int r = hf_delta_create(old->p, old->n, new_bytes->p, new_bytes->n, &params, &out, &err);

    ck_assert_msg(r == 0, "create: %s", err.cause);
    return patch;
}

static int apply(struct bytes *old, struct bytes *patch, struct bytes *made, struct hf_err *err)
{
    struct hf_delta_apply_params params = {.old = {old, get_at, old->n}, .patch = {patch, get}, .out = {made, put}};

    patch->at = 0;
    made->n = 0;
    return hf_delta_apply(&params, NULL, err);
}

static void comes_back(struct bytes *old, struct bytes *new_bytes, enum hf_delta_profile profile, const char *name)
{
    struct bytes patch = make(old, new_bytes, profile), again = make(old, new_bytes, profile), made = {0};
    struct hf_err err = HF_ERR_INIT;

    ck_assert_msg(patch.n == again.n && memcmp(patch.p, again.p, patch.n) == 0, "%s: not deterministic", name);
    patch.step = 7;
    old->step = 1001;
    int r = apply(old, &patch, &made, &err);
    ck_assert_msg(r == 0, "%s: %s", name, err.cause);
    ck_assert_msg(made.n == new_bytes->n && (made.n == 0 || memcmp(made.p, new_bytes->p, made.n) == 0), "%s: differs",
                  name);
    free(patch.p);
    free(again.p);
    free(made.p);
}

static const size_t sizes[] = {0, 1, 2, 100, 65535, 65536, 65537, 150000};

START_TEST(round_trip)
{
    struct bytes old = text(sizes[_i]), empty = {0}, near = edited(&old, 20), far = text(sizes[_i] / 2);

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        comes_back(&old, &old, profile, "same");
        comes_back(&old, &near, profile, "near");
        comes_back(&near, &old, profile, "near, back");
        comes_back(&old, &far, profile, "far");
        comes_back(&old, &empty, profile, "to nothing");
        comes_back(&empty, &old, profile, "from nothing");
    }
    free(old.p);
    free(near.p);
    free(far.p);
}
END_TEST

START_TEST(wrong_old)
{
    struct bytes old = text(50000), near = edited(&old, 5), patch = make(&old, &near, _i), made = {0};
    struct hf_err err = HF_ERR_INIT;

    old.p[4711] ^= 1;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    ck_assert_uint_eq(made.n, 0);
    struct hf_delta_apply_params params = {
        .old = {&old, get_at, old.n}, .patch = {&patch, get}, .out = {&made, put}, .old_is_verified = true};
    patch.at = 0;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ESTALE);
    old.n--;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ESTALE);
    free(old.p);
    free(near.p);
    free(patch.p);
    free(made.p);
}
END_TEST

/* Every value of one byte at a few positions, one flipped bit at all of them, every length. */
START_TEST(damage)
{
    struct bytes old = text(30000), near = edited(&old, 40), patch = make(&old, &near, _i), made = {0};
    struct hf_err err = HF_ERR_INIT;

    for (size_t i = 0; i < patch.n; i++) {
        unsigned char kept = patch.p[i];
        patch.p[i] ^= (unsigned char)(1u << draw() % 8);
        int r = apply(&old, &patch, &made, &err);
        ck_assert_msg(r < 0 || (made.n == near.n && memcmp(made.p, near.p, near.n) == 0), "byte %zu", i);
        ck_assert_msg(r == 0 || r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE, "byte %zu: %d", i, r);
        patch.p[i] = kept;
    }
    for (size_t n = patch.n; n-- > 0;) {
        struct bytes cut = {.p = patch.p, .n = n};
        ck_assert_int_eq(apply(&old, &cut, &made, &err), -EBADMSG);
    }
    patch.n++;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -EBADMSG);
    free(old.p);
    free(near.p);
    free(patch.p);
    free(made.p);
}
END_TEST

START_TEST(callbacks_fail)
{
    struct bytes old = text(300000), near = edited(&old, 5), patch = make(&old, &near, _i), made = {0};
    struct hf_err err = HF_ERR_INIT;
    atomic_bool cancel = true;

    made.fail_at = 100000;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -ENOSPC);
    made.fail_at = 0;
    patch.step = 100;
    patch.fail_at = 80;
    ck_assert_int_eq(apply(&old, &patch, &made, &err), -EIO);
    patch.fail_at = 0;
    struct hf_delta_apply_params params = {
        .old = {&old, get_at, old.n}, .patch = {&patch, get}, .out = {&made, put}, .cancel = &cancel};
    patch.at = 0;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -ECANCELED);
    free(old.p);
    free(near.p);
    free(patch.p);
    free(made.p);
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
    struct bytes old = text((8 << 20) + 70000), near = edited(&old, 20), patch = make(&old, &near, _i), made = {0};
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_apply_params params = {.old = {&old, get_at, old.n},
                                           .patch = {&patch, get},
                                           .out = {&made, put},
                                           .checkpoint = keep,
                                           .checkpoint_ctx = &kept};

    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    ck_assert_uint_eq(kept.n, (near.n - 1) / (4 << 20));
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        patch.at = 0;
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
    patch.at = 0;
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), -EINVAL);
    free(old.p);
    free(near.p);
    free(patch.p);
    free(made.p);
}
END_TEST

START_TEST(info)
{
    struct bytes old = text(5000), near = edited(&old, 5), patch = make(&old, &near, _i);
    struct hf_delta_in in = {&patch, get};
    struct hf_delta_info told;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), 0);
    ck_assert_uint_eq(told.version, 1);
    ck_assert_uint_eq(told.old_size, old.n);
    ck_assert_uint_eq(told.new_size, near.n);
    ck_assert_uint_eq(told.patch_size, patch.n);
    ck_assert_uint_eq(told.profile, (unsigned)_i);
    patch.at = 0;
    patch.p[3] = 2;
    ck_assert_int_eq(hf_delta_read_info(&in, &told, &err), -EOPNOTSUPP);
    free(old.p);
    free(near.p);
    free(patch.p);
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

/* A library of some 150 kB in which every address moved. */
START_TEST(image)
{
    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct elf_made a = elf_make(images[_i].machine, 400, 0),
                        b = elf_make(images[_i].machine, 400, images[_i].grown);
        struct bytes old = {.p = a.p, .n = a.n}, near = {.p = b.p, .n = b.n};
        struct bytes patch = make(&old, &near, profile);
        ck_assert_msg(patch.n < images[_i].limit[profile], "%s: %zu bytes", images[_i].name, patch.n);
        comes_back(&old, &near, profile, images[_i].name);
        comes_back(&near, &old, profile, images[_i].name);
        free(patch.p);
        free(a.p);
        free(b.p);
    }
}
END_TEST

/* Libraries in a tar, between texts; another time of change on every member. */
static struct bytes archive(unsigned grown, const char *time)
{
    struct bytes tar = {0};

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
        (void)put(&tar, header, 512);
        (void)put(&tar, elf.p, elf.n);
        (void)put(&tar, padding, (512 - elf.n % 512) % 512);
        free(elf.p);
    }
    return tar;
}

START_TEST(images_in_archive)
{
    struct bytes old = archive(0, "15054314200"), near = archive(7, "15256615553"), same = archive(0, "15256615553");

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct bytes patch = make(&old, &same, profile);
        ck_assert_msg(patch.n < 300, "only times changed: %zu bytes", patch.n);
        comes_back(&old, &near, profile, "libraries in a tar");
        comes_back(&old, &same, profile, "times in a tar");
        free(patch.p);
    }
    free(old.p);
    free(near.p);
    free(same.p);
}
END_TEST

/* The same in a cpio (newc): members begin at every 4th byte, so that any change moves those behind it to other borders. */
static struct bytes cpio(unsigned grown, size_t config)
{
    struct bytes out = {0};
    unsigned char text[256] = {0};

    for (unsigned i = 0; i < 6; i++) {
        static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_AARCH64, ELF_MAKE_ARM,
                                                         ELF_MAKE_RISCV,  ELF_MAKE_AARCH64, ELF_MAKE_I386};
        struct elf_made elf = elf_make(machines[i], 40 + i, grown);
        char header[128] = {0};
        (void)snprintf(header, sizeof(header), "070701%08X%08X%08X%08X%08X%08X%08zX%08X%08X%08X%08X%08X%08X", i + 1,
                       0x81a4, 0, 0, 1, 1760000000, elf.n, 0, 0, 0, 0, 14, 0);
        (void)snprintf(header + 110, 15, "lib/member-%u", i);
        (void)put(&out, header, 124);
        (void)put(&out, elf.p, elf.n);
        (void)put(&out, text, (4 - elf.n % 4) % 4);
        if (i == 0)
            (void)put(&out, text, config);
        free(elf.p);
    }
    return out;
}

START_TEST(images_in_cpio)
{
    struct bytes old_tar = archive(0, "15054314200"), near_tar = archive(7, "15054314200");
    struct bytes old = cpio(0, 100), near = cpio(7, 108);

    for (int profile = HF_DELTA_SMALL; profile <= HF_DELTA_FAST; profile++) {
        struct bytes tar_patch = make(&old_tar, &near_tar, profile), patch = make(&old, &near, profile);
        ck_assert_msg(patch.n < tar_patch.n + 256, "%zu bytes in a cpio, %zu in a tar", patch.n, tar_patch.n);
        comes_back(&old, &near, profile, "libraries in a cpio");
        free(tar_patch.p);
        free(patch.p);
    }
    free(old_tar.p);
    free(near_tar.p);
    free(old.p);
    free(near.p);
}
END_TEST

/* One flipped bit at every place (of x86-64, else at every fifth) of the patch of an image: predictors see nonsense and stay inside their bounds. */
START_TEST(image_damage)
{
    static const enum elf_make_machine machines[] = {ELF_MAKE_X86_64, ELF_MAKE_ARM, ELF_MAKE_RISCV, ELF_MAKE_I386};
    enum elf_make_machine machine = machines[_i / 2];
    struct elf_made a = elf_make(machine, 60, 0), b = elf_make(machine, 60, 4);
    struct bytes old = {.p = a.p, .n = a.n}, near = {.p = b.p, .n = b.n}, patch = make(&old, &near, _i % 2), made = {0};
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_apply_params params = {
        .old = {&old, get_at, old.n}, .patch = {&patch, get}, .out = {&made, put}, .old_is_verified = true};

    for (size_t i = 0; i < patch.n; i += _i < 2 ? 1 : 5) {
        unsigned char kept = patch.p[i];
        patch.p[i] ^= (unsigned char)(1u << draw() % 8);
        patch.at = made.n = 0;
        int r = hf_delta_apply(&params, NULL, &err);
        ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && memcmp(made.p, b.p, b.n) == 0),
                      "byte %zu: %d", i, r);
        patch.p[i] = kept;
    }
    free(patch.p);
    free(made.p);
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
    struct bytes old = text(400000), near = edited(&old, 30), out[2] = {0};
    struct hf_err err = HF_ERR_INIT;

    for (unsigned i = 0; i < 2; i++) {
        struct hf_delta_create_params params = {.threads = i == 0 ? 1 : 3};
        struct hf_delta_out sink = {&out[i], put};
        ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), 0);
    }
    ck_assert(out[0].n == out[1].n && memcmp(out[0].p, out[1].p, out[0].n) == 0);
    struct hf_delta_create_params params = {.progress = stop};
    struct hf_delta_out sink = {&out[0], put};
    ck_assert_int_eq(hf_delta_create(old.p, old.n, near.p, near.n, &params, &sink, &err), -ECANCELED);
    free(old.p);
    free(near.p);
    free(out[0].p);
    free(out[1].p);
}
END_TEST

START_TEST(check)
{
    struct bytes old = text(90000), near = edited(&old, 9), patch = make(&old, &near, _i);
    struct hf_delta_in in = {&patch, get};
    struct hf_delta_info told;
    struct hf_delta_parts parts;
    struct hf_err err = HF_ERR_INIT;

    ck_assert_int_eq(hf_delta_check(&in, &told, &parts, &err), 0);
    ck_assert_uint_eq(parts.header_bytes + parts.map_bytes + parts.block_bytes, patch.n);
    ck_assert_uint_eq(parts.blocks, 1);
    ck_assert_str_ne(hf_delta_method_name(told.method), "unknown");
    ck_assert_str_eq(hf_delta_method_name(99), "unknown");
    patch.at = 0;
    patch.p[patch.n - 1] ^= 1;
    ck_assert_int_eq(hf_delta_check(&in, NULL, NULL, &err), -EBADMSG);
    free(old.p);
    free(near.p);
    free(patch.p);
}
END_TEST

/* Refused before a byte is looked at. */
START_TEST(too_large)
{
    static const size_t sizes_of[][2] = {
        {HF_DELTA_CREATE_MAX_BYTES, 1}, {1, HF_DELTA_CREATE_MAX_BYTES}, {(size_t)5 << 30, (size_t)3 << 30}};
    const struct hf_delta_create_params params = {.profile = HF_DELTA_FAST, .threads = 1};
    struct bytes patch = {0};
    const struct hf_delta_out out = {&patch, put};

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

static void put_hex(struct bytes *b, const unsigned char *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < 2 * n; i++)
        (void)put(b, &digits[i % 2 == 0 ? bytes[i / 2] >> 4 : bytes[i / 2] & 15], 1);
}

/* An ID, much else, the ID in hex digits, its end. */
static struct bytes built(const unsigned char *id, size_t between)
{
    struct bytes b = {0}, much;

    seed = 5;
    much = text(between);
    (void)put(&b, "head of the file", 16);
    (void)put(&b, id, 20);
    (void)put(&b, much.p, much.n);
    put_hex(&b, id + 1, 19);
    (void)put(&b, ".debug and the rest", 19);
    free(much.p);
    return b;
}

/* Zero bytes; three bytes over and over, over the border of a block; as many bytes as a hash has, one more, many more. */
static void make_tinier(int i, struct bytes *old, struct bytes *near)
{
    static const unsigned char zero[4096], three[] = "abc";

    *near = (struct bytes){0};
    if (i == 10)
        (void)put(near, old->p, 50000);
    for (unsigned k = 0; i == 9 && k < 25; k++)
        (void)put(near, zero, sizeof(zero));
    for (unsigned k = 0; i == 10 && k < (4 << 20) / 3; k++)
        (void)put(near, three, 3);
    if (i == 10)
        (void)put(near, old->p + 50000, 50000);
    for (unsigned k = 0; i > 10 && k < (i == 13 ? 8192 : 32U + (i == 12)); k++)
        (void)put(near, &(unsigned char){(unsigned char)draw()}, 1);
}

static void make_tiny(int i, struct bytes *old, struct bytes *near)
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
        free(old->p);
        /* the border of a block falls among the digits */
        size_t between = i == 8 ? (4 << 20) - 16 - 20 - 13 : 60000;
        *old = built(id[0], between);
        *near = built(id[1], between);
        return;
    }
    *near = (struct bytes){0};
    if (i == 3)
        (void)put(near, old->p + 40000, old->n - 40000);
    else if (i != 4 && i != 5)
        (void)put(near, old->p, old->n);
    if (i == 1)
        near->p[70000] ^= 1;
    for (unsigned k = 0; k < 25 && (i == 2 || i == 5); k++) {
        uint32_t word = draw() << 8 ^ draw();
        (void)put(near, &word, sizeof(word));
    }
    if (i == 5)
        old->n = 0;
}

START_TEST(smallest)
{
    struct bytes old, near, made = {0}, patch;
    struct kept kept = {0}, ignored = {0};
    struct hf_err err = HF_ERR_INIT;

    make_tiny(_i, &old, &near);
    patch = make(&old, &near, HF_DELTA_FAST);
    ck_assert_msg(patch.n <= tiny[_i].header_and_body, "%s: %zu bytes", tiny[_i].name, patch.n);
    comes_back(&old, &near, HF_DELTA_SMALL, tiny[_i].name);
    struct hf_delta_apply_params params = {.old = {&old, get_at, old.n},
                                           .patch = {&patch, get},
                                           .out = {&made, put},
                                           .checkpoint = keep,
                                           .checkpoint_ctx = &kept};
    ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
    params.checkpoint_ctx = &ignored;
    for (unsigned i = 0; i < kept.n; i++) {
        patch.at = 0;
        made.n = kept.points[i].new_offset;
        params.resume = &kept.points[i];
        ck_assert_int_eq(hf_delta_apply(&params, NULL, &err), 0);
        ck_assert(made.n == near.n && memcmp(made.p, near.p, near.n) == 0);
    }
    ck_assert_uint_eq(kept.n, near.n > 4 << 20);
    unsigned step = near.n > (4 << 20) || patch.n > 4096 ? 8 : 1; /* these take longer */
    for (size_t i = 0; i < patch.n; i++)
        for (unsigned bit = i % 4; bit < 8; bit += step) {
            patch.p[i] ^= (unsigned char)(1u << bit);
            int r = apply(&old, &patch, &made, &err);
            ck_assert_msg(r == -EBADMSG || r == -EOPNOTSUPP || r == -ESTALE || (r == 0 && i == 4), "byte %zu: %d", i,
                          r);
            patch.p[i] ^= (unsigned char)(1u << bit);
        }
    free(old.p);
    free(near.p);
    free(made.p);
    free(patch.p);
}
END_TEST

/* Bytes that cannot be packed, with pieces of old: what is made of them is what they are but for the pieces. */
START_TEST(packed_already)
{
    struct bytes old = {0}, near = {0};

    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        (void)put(&old, &word, sizeof(word));
    }
    for (unsigned i = 0; i < 50000; i++) {
        uint32_t word = draw() << 8 ^ draw();
        (void)put(&near, &word, sizeof(word));
        if (i % 100 == 0)
            (void)put(&near, old.p + draw() % (old.n - 50), 50);
    }
    struct bytes patch = make(&old, &near, _i);
    ck_assert_msg(patch.n < near.n - 500 * 40, "%zu bytes of %zu", patch.n, near.n);
    comes_back(&old, &near, _i, "packed");
    free(patch.p);
    free(old.p);
    free(near.p);
}
END_TEST

static void cases(TCase *tc)
{
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
    tcase_add_loop_test(tc, check, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
    tcase_add_loop_test(tc, info, HF_DELTA_SMALL, HF_DELTA_FAST + 1);
}

HF_TEST_MAIN_TIMEOUT("delta", cases, 300)
