/* SPDX-License-Identifier: Apache-2.0 */
#include "support/makers/kept_blocks.h"

#include <stdbool.h>
#include <string.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_ASAN
#endif
#endif
#if defined(HAS_ASAN) || defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#define ASAN_UNPOISON_MEMORY_REGION(p, n) ((void)(p), (void)(n))
#endif

enum { LARGE = 16 << 10, BLOCKS = 32 };

static struct block {
    void *p;
    size_t n;
    bool out;
} blocks[BLOCKS];
static size_t blocks_n;

void *__real_malloc(size_t n) __attribute__((weak));
void *__real_aligned_alloc(size_t alignment, size_t n) __attribute__((weak));
void __real_free(void *p) __attribute__((weak));
void *__wrap_malloc(size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
void __wrap_free(void *p);

static void *take(size_t alignment, size_t n)
{
    for (size_t i = 0; i < blocks_n; i++)
        if (!blocks[i].out && blocks[i].n == n && ((size_t)blocks[i].p & (alignment - 1)) == 0) {
            ASAN_UNPOISON_MEMORY_REGION(blocks[i].p, n);
            blocks[i].out = true;
            return blocks[i].p;
        }
    return NULL;
}

static void *note(void *p, size_t n)
{
    if (p != NULL && blocks_n < BLOCKS)
        blocks[blocks_n++] = (struct block){p, n, true};
    return p;
}

void *__wrap_malloc(size_t n)
{
    if (n < LARGE)
        return __real_malloc(n);
    void *p = take(1, n);
    return p != NULL ? p : note(__real_malloc(n), n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    if (n < LARGE)
        return __real_aligned_alloc(alignment, n);
    void *p = take(alignment, n);
    return p != NULL ? p : note(__real_aligned_alloc(alignment, n), n);
}

void __wrap_free(void *p)
{
    for (size_t i = 0; p != NULL && i < blocks_n; i++)
        if (blocks[i].p == p) {
            if (!blocks[i].out)
                abort(); /* freed twice */
            blocks[i].out = false;
            ASAN_POISON_MEMORY_REGION(p, blocks[i].n);
            return;
        }
    __real_free(p);
}

void kept_blocks_fill(int byte)
{
    for (size_t i = 0; i < blocks_n; i++)
        if (!blocks[i].out) {
            ASAN_UNPOISON_MEMORY_REGION(blocks[i].p, blocks[i].n);
            memset(blocks[i].p, byte, blocks[i].n);
            ASAN_POISON_MEMORY_REGION(blocks[i].p, blocks[i].n);
        }
}

size_t kept_blocks_out(void)
{
    size_t n = 0;

    for (size_t i = 0; i < blocks_n; i++)
        n += blocks[i].out;
    return n;
}
