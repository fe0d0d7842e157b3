/* Any bytes as a patch, over a library: an error or the right output, no more memory than FORMAT.md says. Old's hash is taken as
 * checked and its size as right, so that what lies behind is reached. Most inputs are told that new is smaller than they say, and
 * one in 64 only may make more than 1 KiB: they have shown what they can by then, and what there is to clear goes by new's size. */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "delta/delta.h"
#include "delta/wire.h"
#include "support/elf_make.h"

enum { SMALL_NEW = 320, TRUE_EACH = 4, TRUE_OUT = 1 << 10, LARGE_EACH = 64, LARGE_OUT = 16 << 10 };

/* The bytes, the first of them replaced. */
struct stream {
    const uint8_t *p;
    size_t n, at;
    unsigned char head[DELTA_HEADER_MAX];
    size_t head_n, instead_of, head_at;
};

struct written {
    uint64_t n, max;
};

/* Which one a patch is over tells the size of old in its header; others are taken as over the first. */
static struct elf_made old_files[4];

static ssize_t get(void *ctx, void *bytes, size_t n)
{
    struct stream *s = ctx;
    bool in_head = s->head_at < s->head_n;
    const uint8_t *from = in_head ? s->head + s->head_at : s->p + s->at;

    n = HF_MIN(n, in_head ? s->head_n - s->head_at : s->n - s->at);
    if (n > 0)
        memcpy(bytes, from, n);
    *(in_head ? &s->head_at : &s->at) += n;
    return (ssize_t)n;
}

static struct stream from_start(const struct stream *s)
{
    struct stream again = *s;

    again.head_at = 0;
    again.at = s->instead_of;
    return again;
}

/* Put a header in front that says that new is small. */
static void say_small(struct stream *s)
{
    static struct delta_input input;
    struct delta_header header;
    struct hf_err err = HF_ERR_INIT;

    delta_input_init(&input, &(struct hf_delta_in){s, get});
    if (delta_header_read(&input, &header, &err) == 0 && header.new_size > SMALL_NEW) {
        s->instead_of = (size_t)input.offset;
        header.new_size = header.new_size % SMALL_NEW + 1;
        s->head_n = delta_header_format(&header, s->head);
    }
    *s = from_start(s);
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
    struct stream patch = {.p = bytes, .n = n};
    struct hf_err err = HF_ERR_INIT;
    struct hf_delta_info info;
    struct hf_delta_parts parts;
    struct written written = {.max = n % LARGE_EACH == 0 ? LARGE_OUT : TRUE_OUT};

    static const enum elf_make_machine machines[HF_LEN(old_files)] = {ELF_MAKE_X86_64, ELF_MAKE_ARM, ELF_MAKE_RISCV,
                                                                      ELF_MAKE_I386};
    unsigned which = 0;

    for (unsigned i = 0; i < HF_LEN(old_files) && old_files[i].p == NULL; i++)
        old_files[i] = elf_make(machines[i], 60, 0);
    struct hf_delta_in as_given = {&patch, get};
    if (hf_delta_read_info(&as_given, &info, &err) < 0)
        return 0;
    for (unsigned i = 0; i < HF_LEN(old_files); i++)
        which = info.old_size == old_files[i].n ? i : which;
    patch = from_start(&patch);
    if (n % TRUE_EACH != 0)
        say_small(&patch);
    struct stream again = patch;
    struct hf_delta_in in = {&patch, get};
    if (hf_delta_read_info(&in, &info, &err) < 0)
        return 0;
    patch = from_start(&patch);
    /* A head put in front may be longer than the one it stands for. */
    if (hf_delta_check(&in, NULL, &parts, &err) == 0 &&
        parts.header_bytes + parts.map_bytes + parts.block_bytes > n - patch.instead_of + patch.head_n)
        abort();
    struct hf_delta_apply_params params = {.old = {&old_files[which], get_at, info.old_size},
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
