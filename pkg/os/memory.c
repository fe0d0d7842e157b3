/* SPDX-License-Identifier: Apache-2.0 */
#include "os/memory.h"

#include <inttypes.h>
#include <malloc.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FRAMES_BYTES = 8192 }; /* more than the calls below release_stack() take */
enum { ARENAS = 1, KEEP_BYTES = 64 * 1024, TOP_BYTES = 16 * 1024 };
enum { BIG_PAGES = 4, BIG_BYTES = 64 * 1024 };

void hf_memory_frugal(void)
{
    long big = BIG_PAGES * sysconf(_SC_PAGESIZE);

    (void)mallopt(M_ARENA_MAX, ARENAS);
    (void)mallopt(M_TRIM_THRESHOLD, KEEP_BYTES);
    (void)mallopt(M_TOP_PAD, TOP_BYTES);
    /* Big buffers lie outside of the heap: pages never written take no memory, and freed ones leave no holes. Set,
     * or glibc raises it when the first big buffer is freed. */
    (void)mallopt(M_MMAP_THRESHOLD, big < BIG_BYTES ? (int)big : BIG_BYTES);
}

struct mapping {
    uintptr_t start;
    uintptr_t end;
    bool plain_file; /* private and readable, not writable, of a file */
};

/* "7f12a000-7f12b000 r-xp 00000000 08:01 1234   /usr/lib/libx.so" */
static bool read_mapping(const char *line, struct mapping *ret_mapping)
{
    uint64_t start, end, inode;
    char flags[5];

    if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %*x %*x:%*x %" SCNu64, &start, &end, flags, &inode) != 4)
        return false;
    ret_mapping->start = (uintptr_t)start;
    ret_mapping->end = (uintptr_t)end;
    ret_mapping->plain_file = inode != 0 && flags[0] == 'r' && flags[1] == '-' && flags[3] == 'p';
    return true;
}

/* What deep calls have left below the frames in use. `start`: of the stack. */
static void release_stack(uintptr_t start)
{
    uintptr_t end = ((uintptr_t)__builtin_frame_address(0) - FRAMES_BYTES) & ~(uintptr_t)(sysconf(_SC_PAGESIZE) - 1);

    if (start < end)
        (void)madvise((void *)start, end - start, MADV_DONTNEED);
}

void hf_memory_trim_thread(void)
{
    static _Thread_local void *start;
    pthread_attr_t attr;
    size_t n;

    if (start == NULL && pthread_getattr_np(pthread_self(), &attr) == 0) {
        (void)pthread_attr_getstack(&attr, &start, &n);
        (void)pthread_attr_destroy(&attr);
    }
    if (start != NULL)
        release_stack((uintptr_t)start);
}

/* A mapping with private pages (relocated tables, read-only since) must keep them: release only mappings without
 * any. */
static void release_clean_pages(FILE *smaps)
{
    struct mapping mapping = {0, 0, false};
    char line[512];
    uint64_t kilobytes;

    while (fgets(line, sizeof(line), smaps) != NULL) {
        if (read_mapping(line, &mapping)) {
            uintptr_t here = (uintptr_t)__builtin_frame_address(0);
            if (mapping.start <= here && here < mapping.end)
                release_stack(mapping.start);
            continue;
        }
        if (!mapping.plain_file || sscanf(line, "Anonymous: %" SCNu64 " kB", &kilobytes) != 1)
            continue;
        if (kilobytes == 0)
            (void)madvise((void *)mapping.start, mapping.end - mapping.start, MADV_DONTNEED);
        mapping.plain_file = false;
    }
}

void hf_memory_trim_heap(void)
{
    (void)malloc_trim(0);
}

void hf_memory_trim(void)
{
    FILE *smaps = fopen("/proc/self/smaps", "re");

    hf_memory_trim_heap();
    if (smaps == NULL)
        return;
    release_clean_pages(smaps);
    (void)fclose(smaps);
}

size_t hf_memory_spare(void)
{
    return mallinfo2().fordblks;
}
