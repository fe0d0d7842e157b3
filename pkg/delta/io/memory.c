#include <string.h>

#include "base/macros.h"
#include "delta/delta.h"

ssize_t hf_delta_memory_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct hf_delta_memory *memory = ctx;

    if (offset >= memory->n)
        return 0;
    n = HF_MIN(n, memory->n - (size_t)offset);
    memcpy(bytes, memory->p + offset, n);
    return (ssize_t)n;
}
