/* SPDX-License-Identifier: Apache-2.0 */
#include "os/secret/secret_memory.h"

#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

void *hf_secret_memory_new(size_t n)
{
    void *bytes = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (bytes == MAP_FAILED)
        return NULL;
    /* Both are best effort: without them the content is as safe as the credentials that this process holds anyway. */
    (void)madvise(bytes, n, MADV_DONTDUMP);
    (void)mlock(bytes, n);
    return bytes;
}

void hf_secret_memory_free(void *bytes, size_t n)
{
    if (bytes == NULL)
        return;
    explicit_bzero(bytes, n);
    (void)munmap(bytes, n);
}

void hf_secret_memory_guard(void)
{
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
