/* SPDX-License-Identifier: Apache-2.0 */
#include "os/fs_counter.h"

#include "os/fs_posix.h"

const char *hf_fs_counter_part_name(enum hf_fs_part part)
{
    static const char *const names[HF_FS_PARTS] = {
        [HF_FS_STATE] = "state", [HF_FS_UPDATES] = "updates", [HF_FS_TELEMETRY] = "telemetry"};

    return names[part];
}

/* The real table has no context of its own, so that the counter can be the context of the copy. */
static ssize_t counted_pwrite(void *ctx, int fd, const void *bytes, size_t n, uint64_t offset)
{
    struct hf_fs_counter *counter = ctx;
    const struct hf_fs_ops *real = hf_fs_posix();
    ssize_t written = real->pwrite(real->ctx, fd, bytes, n, offset);

    if (written > 0)
        (void)atomic_fetch_add_explicit(&counter->bytes, (uint64_t)written, memory_order_relaxed);
    return written;
}

void hf_fs_counter_init(struct hf_fs_counter *counter)
{
    counter->ops = *hf_fs_posix();
    counter->ops.ctx = counter;
    counter->ops.pwrite = counted_pwrite;
    atomic_init(&counter->bytes, 0);
}

uint64_t hf_fs_counter_bytes(const struct hf_fs_counter *counter)
{
    return atomic_load_explicit(&counter->bytes, memory_order_relaxed);
}
