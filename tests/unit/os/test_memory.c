/* SPDX-License-Identifier: Apache-2.0 */
#include "os/memory.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "support/check_main.h"

/* Whether the page is mapped right now: bit 63 of its entry in /proc/self/pagemap. */
static bool is_mapped(const void *page)
{
    uint64_t entry = 0;
    off_t at = (off_t)((uintptr_t)page / (uintptr_t)sysconf(_SC_PAGESIZE) * sizeof(entry));
    int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

    ck_assert_int_eq(pread(fd, &entry, sizeof(entry), at), sizeof(entry));
    ck_assert_int_eq(close(fd), 0);
    return entry >> 63 == 1;
}

static int written = 7;
static const char *const relocated[] = {"a", "b", "c"}; /* lies in pages that the loader wrote to */

/* What was written stays, what was only read goes and comes back. */
START_TEST(trim_keeps_what_is_ours)
{
    hf_memory_frugal();
    written = 8;
    FILE *file = fopen("/proc/self/exe", "r");
    ck_assert_ptr_nonnull(file);
    const unsigned char *map = mmap(NULL, 1 << 16, PROT_READ, MAP_PRIVATE, fileno(file), 0);
    unsigned char *changed = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE, fileno(file), 0);
    ck_assert(map != MAP_FAILED && changed != MAP_FAILED);
    changed[5000] = 99;
    ck_assert_int_eq(mprotect(changed, 1 << 16, PROT_READ),
                     0); /* read-only now, with a page of our own, as relocated tables */
    ck_assert_int_eq(map[0], 0x7f);
    ck_assert(is_mapped(map) && is_mapped(changed + 4096));
    hf_memory_trim();
    ck_assert(!is_mapped(map));
    ck_assert(is_mapped(changed + 4096));
    ck_assert_int_eq(written, 8);
    ck_assert_int_eq(changed[5000], 99);
    ck_assert_int_eq(map[0], 0x7f);
    ck_assert_str_eq(relocated[2], "c");
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(munmap(changed, 1 << 16), 0);
    hf_memory_trim();
}
END_TEST

/* Writes to far more stack than a trim takes itself; returns where. */
static __attribute__((noinline)) uintptr_t go_deep(void)
{
    volatile char deep[256 << 10];

    for (size_t i = 0; i < sizeof(deep); i += 512)
        deep[i] = 1;
    return (uintptr_t)&deep[64 << 10];
}

START_TEST(trim_gives_back_what_deep_calls_left)
{
    volatile int mine = 5;
    uintptr_t deep = go_deep();

    ck_assert(is_mapped((const void *)deep));
    hf_memory_trim();
    ck_assert(!is_mapped((const void *)deep));
    ck_assert_int_eq(mine, 5);
    ck_assert_uint_eq(go_deep(), deep);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* whose malloc is another one */
enum { BLOCKS = 4096, BLOCK_BYTES = 64, LARGE_BYTES = 20 << 10 };

START_TEST(trim_heap_gives_back_holes)
{
    char *blocks[BLOCKS];

    hf_memory_frugal();
    for (size_t i = 0; i < BLOCKS; i++)
        ck_assert_ptr_nonnull(blocks[i] = calloc(1, BLOCK_BYTES));
    for (size_t i = 0; i + 1 < BLOCKS; i++)
        free(blocks[i]);
    ck_assert(is_mapped(blocks[BLOCKS / 2]));
    hf_memory_trim_heap();
    ck_assert(!is_mapped(blocks[BLOCKS / 2]));
    ck_assert_int_eq(blocks[BLOCKS - 1][0], 0);
    free(blocks[BLOCKS - 1]);
}
END_TEST

START_TEST(large_blocks_take_what_is_written)
{
    hf_memory_frugal();
    char *written_before = malloc(LARGE_BYTES);
    ck_assert_ptr_nonnull(written_before);
    memset(written_before, 1, LARGE_BYTES);
    ck_assert(is_mapped(written_before + LARGE_BYTES - 1));
    free(written_before);
    char *sparse = calloc(1, LARGE_BYTES);
    ck_assert_ptr_nonnull(sparse);
    ck_assert(!is_mapped(sparse + LARGE_BYTES - 1));
    free(sparse);
}
END_TEST
#endif

static void *in_a_thread(void *arg)
{
    uintptr_t deep = go_deep();
    bool before = is_mapped((const void *)deep);

    hf_memory_trim_thread();
    *(bool *)arg = before && !is_mapped((const void *)deep) && go_deep() == deep;
    return NULL;
}

START_TEST(a_thread_gives_back_its_stack)
{
    pthread_t thread;
    bool gone = false;

    ck_assert_int_eq(pthread_create(&thread, NULL, in_a_thread, &gone), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(gone);
}
END_TEST

static void cases(TCase *tc)
{
    tcase_add_test(tc, a_thread_gives_back_its_stack);
    tcase_add_test(tc, trim_keeps_what_is_ours);
    tcase_add_test(tc, trim_gives_back_what_deep_calls_left);
#ifndef __SANITIZE_ADDRESS__
    tcase_add_test(tc, trim_heap_gives_back_holes);
    tcase_add_test(tc, large_blocks_take_what_is_written);
#endif
}

HF_TEST_MAIN("os/memory", cases)
