#include "telemetry/source/tail_identity.h"

#include <string.h>

#include "base/macros.h"
#include "codec/sha256.h"

uint64_t hf_tail_hash(const void *bytes, size_t n)
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    uint64_t value = hf_sha256_final64(&hash);
    return value != 0 ? value : 1;
}

uint64_t hf_tail_hash_start(const struct hf_fs_ops *fs, int fd)
{
    char bytes[HF_TAIL_MARK_BYTES];
    ssize_t n = fs->pread(fs->ctx, fd, bytes, sizeof(bytes), 0);
    const char *end = n > 0 ? memchr(bytes, '\n', (size_t)n) : NULL;

    if (end != NULL)
        return hf_tail_hash(bytes, (size_t)(end - bytes) + 1);
    return n == HF_TAIL_MARK_BYTES ? hf_tail_hash(bytes, sizeof(bytes)) : 0;
}

uint64_t hf_tail_hash_before(const struct hf_fs_ops *fs, int fd, uint64_t offset)
{
    char bytes[HF_TAIL_MARK_BYTES];
    size_t n = (size_t)HF_MIN(offset, (uint64_t)sizeof(bytes));

    return n > 0 && fs->pread(fs->ctx, fd, bytes, n, offset - n) == (ssize_t)n ? hf_tail_hash(bytes, n) : 0;
}

uint64_t hf_tail_birth_ns(const struct hf_fs_ops *fs, int fd)
{
    uint64_t birth_ns;

    return fs->birth(fs->ctx, fd, &birth_ns) == 0 ? birth_ns : 0;
}
