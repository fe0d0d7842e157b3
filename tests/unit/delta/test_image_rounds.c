/* SPDX-License-Identifier: Apache-2.0 */
/* Executables, alone and in archives, through the engine's public interface. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rounds.h"
#include "support/makers/elf_make.h"
#include "support/walk.h"

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

/* One flipped bit at any place of the patch of an image: predictors see nonsense and stay inside their bounds. */
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

    for (uint64_t at = hf_walk_next("image damage", 0); at <= patch.n; at = hf_walk_next("image damage", at)) {
        size_t i = at - 1;
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

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, image, 0, HF_LEN(images));
    tcase_add_test(tc, images_in_archive);
    tcase_add_test(tc, images_in_cpio);
    tcase_add_loop_test(tc, image_damage, 0, 8);
}

HF_TEST_MAIN_CPU("delta/image rounds", cases, 300)
