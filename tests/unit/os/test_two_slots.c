/* SPDX-License-Identifier: Apache-2.0 */
/* A record in two slots: after a failed write or a power cut it is the old one or the new one. */
#include "os/two_slots.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/endian.h"
#include "spool/crc32c.h"
#include "support/check_main.h"
#include "support/fakes/simfs.h"

enum { BYTES = 64, SAVES = 6 };

static uint64_t counter_of(const unsigned char *slot)
{
    return hf_le32(slot + BYTES - 4) == hf_crc32c(0, slot, BYTES - 4) ? hf_le64(slot) : 0;
}

static const struct hf_two_slots_format formats[] = {{BYTES, 0, counter_of}, {BYTES, 1, counter_of}};

static void fill(unsigned char slot[static BYTES], uint64_t counter)
{
    memset(slot, (int)counter, BYTES);
    hf_put_le64(slot, counter);
    hf_put_le32(slot + BYTES - 4, hf_crc32c(0, slot, BYTES - 4));
}

static int open_record(struct hf_simfs *fs)
{
    const struct hf_fs_ops *ops = hf_simfs_ops(fs);

    return ops->openat(ops->ctx, AT_FDCWD, "/record", O_RDWR | O_CREAT, 0600, HF_FS_ANY);
}

static int save(struct hf_simfs *fs, int fd, const struct hf_two_slots_format *format, uint64_t counter)
{
    unsigned char slot[BYTES];

    fill(slot, counter);
    return hf_two_slots_write(hf_simfs_ops(fs), fd, format, slot, counter);
}

static uint64_t load(struct hf_simfs *fs, int fd, const struct hf_two_slots_format *format)
{
    unsigned char slot[BYTES], want[BYTES];
    uint64_t counter;

    ck_assert_int_eq(hf_two_slots_read(hf_simfs_ops(fs), fd, format, slot, &counter), 0);
    fill(want, counter);
    ck_assert(counter == 0 || memcmp(slot, want, BYTES) == 0);
    return counter;
}

START_TEST(slots_take_turns)
{
    const struct hf_two_slots_format *format = &formats[_i];
    struct hf_simfs *fs = hf_simfs_new();
    size_t n;
    int fd = open_record(fs);

    ck_assert_uint_eq(load(fs, fd, format), 0);
    for (uint64_t counter = 1; counter <= SAVES; counter++) {
        ck_assert_int_eq(save(fs, fd, format, counter), 0);
        ck_assert_uint_eq(load(fs, fd, format), counter);
        size_t at = ((counter + format->first_slot) % 2 == 1 ? 0 : HF_TWO_SLOTS_STRIDE);
        const unsigned char *file = hf_simfs_get(fs, "/record", &n);
        ck_assert(n >= at + BYTES && hf_le64(file + at) == counter);
    }
    for (uint64_t want = SAVES - 1;; want = 0) { /* without the newest slot the other one counts, then nothing */
        unsigned char file[HF_TWO_SLOTS_STRIDE + BYTES] = {0};
        size_t newest = want > 0 ? want + 1 : SAVES - 1;
        size_t at = ((newest + format->first_slot) % 2 == 1 ? 0 : HF_TWO_SLOTS_STRIDE);
        const unsigned char *whole = hf_simfs_get(fs, "/record", &n);
        ck_assert_uint_eq(n, sizeof(file));
        memcpy(file, whole, n);
        file[at + 9] ^= 1;
        hf_simfs_put(fs, "/record", file, n, 0600);
        int again = open_record(fs);
        ck_assert_uint_eq(load(fs, again, format), want);
        (void)hf_simfs_ops(fs)->close(hf_simfs_ops(fs)->ctx, again);
        if (want == 0)
            break;
    }
    hf_simfs_free(fs);
}
END_TEST

START_TEST(power_cut_at_every_call)
{
    bool stopped = true;

    for (uint64_t n = 1; stopped; n++)
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct hf_simfs *fs = hf_simfs_new();
            uint64_t saved = 0;
            hf_simfs_put(fs, "/record", "", 0, 0600);
            int fd = open_record(fs), r = 0;
            hf_simfs_stop_at(fs, n);
            while (r == 0 && saved < SAVES) {
                r = save(fs, fd, &formats[0], saved + 1);
                saved += r == 0;
            }
            stopped = hf_simfs_stopped(fs);
            hf_simfs_power_cut(fs, seed);
            fd = open_record(fs);
            uint64_t found = load(fs, fd, &formats[0]);
            ck_assert_msg(found == saved || found == saved + 1, "call %lu: %lu, saved %lu", (unsigned long)n,
                          (unsigned long)found, (unsigned long)saved);
            hf_simfs_free(fs);
        }
}
END_TEST

START_TEST(a_failed_write_leaves_the_other_slot)
{
    struct hf_simfs *fs = hf_simfs_new();
    int fd = open_record(fs);

    ck_assert_int_eq(save(fs, fd, &formats[0], 1), 0);
    for (uint64_t call = 1; call <= 2; call++) { /* the write, the sync */
        hf_simfs_fail_at(fs, call, EIO, 1);
        ck_assert_int_eq(save(fs, fd, &formats[0], 2), -EIO);
        ck_assert(load(fs, fd, &formats[0]) >= 1);
    }
    ck_assert_int_eq(save(fs, fd, &formats[0], 2), 0);
    ck_assert_uint_eq(load(fs, fd, &formats[0]), 2);
    /* A slot that cannot be read is a damaged one, and the caller hears of it. */
    unsigned char slot[BYTES];
    uint64_t counter;
    hf_simfs_fail_at(fs, 1, EIO, 1);
    ck_assert_int_eq(hf_two_slots_read(hf_simfs_ops(fs), fd, &formats[0], slot, &counter), -EIO);
    ck_assert_uint_eq(counter, 2);
    hf_simfs_fail_at(fs, 2, EIO, 1);
    ck_assert_int_eq(hf_two_slots_read(hf_simfs_ops(fs), fd, &formats[0], slot, &counter), -EIO);
    ck_assert_uint_eq(counter, 1);
    hf_simfs_free(fs);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_loop_test(tc, slots_take_turns, 0, (int)HF_LEN(formats));
    tcase_add_test(tc, power_cut_at_every_call);
    tcase_add_test(tc, a_failed_write_leaves_the_other_slot);
}
HF_TEST_MAIN("os/two_slots", cases)
