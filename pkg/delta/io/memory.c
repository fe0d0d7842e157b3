/* SPDX-License-Identifier: Apache-2.0 */
#include "delta/io/memory.h"

#include <string.h>

#include "base/macros.h"

ssize_t hf_delta_memory_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct hf_delta_memory *memory = ctx;

    if (offset >= memory->n)
        return 0;
    n = HF_MIN(n, memory->n - (size_t)offset);
    memcpy(bytes, memory->p + offset, n);
    return (ssize_t)n;
}

void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n)
{
    memory->bytes = (struct hf_delta_memory){bytes, n};
    memory->file = (struct hf_delta_old){&memory->bytes, hf_delta_memory_pread, n};
    delta_old_init(&memory->reader, &memory->file);
}
