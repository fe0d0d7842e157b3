/* Any bytes as a patch, over a library, an archive-like text, or nothing: an error or the right output, no more memory than
 * FORMAT.md says. Old's hash is taken as checked and the header's sizes of old are put right, so that what lies behind is reached. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "support/elf_make.h"

struct stream {
    const uint8_t *p;
    size_t n, at;
};

/* Most inputs have shown what they can within 3 KiB of output; one in eight may make 64 KiB. */
struct written {
    uint64_t n, max;
};

static struct elf_made old_file;

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    struct stream *s = ctx;

    n = HF_MIN(n, s->n - s->at);
    if (n > 0)
        memcpy(bytes, s->p + s->at, n);
    s->at += n;
    return (ssize_t)n;
}

static ssize_t get_at(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct elf_made *old = ctx;

    if (offset >= old->n)
        return 0;
    n = HF_MIN(n, old->n - (size_t)offset);
    memcpy(bytes, old->p + offset, n);
    return (ssize_t)n;
}

static int put(void *ctx, const void *bytes, size_t n)
{
    struct written *written = ctx;

    (void)bytes;
    written->n += n;
    return written->n > written->max ? -ENOSPC : 0;
}

static int keep(void *ctx, const struct hf_delta_checkpoint *checkpoint)
{
    (void)ctx;
    return checkpoint->new_offset == 0 ? -EINVAL : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct stream patch = {bytes, n, 0}, again = {bytes, n, 0};
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_info info;
    struct hf_delta_parts parts;
    struct written written = {0, n % 8 == 0 ? 64 << 10 : 3 << 10};

    if (old_file.p == NULL)
        old_file = elf_make(ELF_MAKE_X86_64, 60, 0);
    struct hf_delta_in in = {&patch, get};
    if (hf_delta_read_info(&in, &info, &err) < 0)
        return 0;
    patch.at = 0;
    if (hf_delta_check(&in, NULL, &parts, &err) == 0 && parts.header_bytes + parts.map_bytes + parts.block_bytes > n)
        abort();
    struct hf_delta_apply_params params = {.old = {&old_file, get_at, info.old_size},
                                           .patch = {&again, get},
                                           .out = {&written, put},
                                           .checkpoint = keep,
                                           .old_is_verified = true};
    int r = hf_delta_apply(&params, NULL, &err);
    if (r == 0 && written.n != info.new_size)
        abort();
    if (r < 0 && r != -EBADMSG && r != -EOPNOTSUPP && r != -ESTALE && r != -ENOSPC && r != -ENOMEM && r != -EINVAL)
        abort();
    return 0;
}
