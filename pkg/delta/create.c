#include <errno.h>
#include <string.h>

#include "delta/create.h"
#include "delta/images.h"
#include "delta/tables.h"

static ssize_t memory_pread(void *ctx, void *bytes, size_t n, uint64_t offset)
{
    const struct delta_memory *memory = ctx;

    if (offset >= memory->n)
        return 0;
    n = HF_MIN(n, memory->n - (size_t)offset);
    memcpy(bytes, memory->p + offset, n);
    return (ssize_t)n;
}

void delta_memory_open(struct delta_memory *memory, const unsigned char *bytes, size_t n)
{
    memory->p = bytes;
    memory->n = n;
    memory->file = (struct hf_delta_old){memory, memory_pread, n};
    delta_old_init(&memory->reader, &memory->file);
}

static int find_copies(struct delta_make *make, struct hf_err *err)
{
    struct delta_match_params match = {make->old, make->new_bytes, make->old_n, make->new_n, NULL, NULL};
    struct delta_found old = {0}, new_found = {0};
    unsigned char *old_blanked = NULL, *new_blanked = NULL;
    int r = delta_images_find(make->old, make->old_n, &old, err);

    if (make->params != NULL) {
        match.progress = make->params->progress;
        match.progress_ctx = make->params->progress_ctx;
    }
    if (r == 0)
        r = delta_images_find(make->new_bytes, make->new_n, &new_found, err);
    if (r == 0 && old.n > 0 && new_found.n > 0) {
        r = delta_images_blank(&old, make->old, make->old_n, &old_blanked, err);
        if (r == 0)
            r = delta_images_blank(&new_found, make->new_bytes, make->new_n, &new_blanked, err);
        match.old = old_blanked;
        match.new_bytes = new_blanked;
    }
    if (r == 0)
        r = delta_match(&match, &make->copies, err);
    free(old_blanked);
    free(new_blanked);
    if (r == 0)
        r = delta_images_pair(make, &old, &new_found, err);
    delta_found_done(&old);
    delta_found_done(&new_found);
    return r < 0 ? r : delta_tables_match(make, err);
}

static int make_body(struct delta_make *make, struct hf_buf *body, unsigned *ret_method, struct hf_err *err)
{
    int r;

    if ((r = find_copies(make, err)) < 0)
        return r;
    if (make->params != NULL && make->params->profile == HF_DELTA_FAST) {
        *ret_method = DELTA_METHOD_RECORDS_ZSTD;
        return delta_make_zstd(make, body, err);
    }
    *ret_method = DELTA_METHOD_RECORDS_CM;
    return delta_make_cm(make, body, err);
}

static void digest_of(const void *bytes, size_t n, unsigned char digest[static HF_SHA256_BYTES])
{
    struct hf_sha256 hash;

    hf_sha256_init(&hash);
    hf_sha256_update(&hash, bytes, n);
    hf_sha256_final(&hash, digest);
}

int hf_delta_create(const void *old, size_t old_n, const void *new_bytes, size_t new_n,
                    const struct hf_delta_create_params *params, const struct hf_delta_out *patch, struct hf_err *err)
{
    struct delta_make make = {.old = old, .old_n = old_n, .new_bytes = new_bytes, .new_n = new_n, .params = params};
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(SIZE_MAX / 2);
    struct delta_header header = {.version = DELTA_VERSION, .old_size = old_n, .new_size = new_n};
    unsigned char bytes[DELTA_HEADER_MAX];
    int r = make_body(&make, &body, &header.method, err);

    delta_copies_done(&make.copies);
    free(make.pairs);
    free(make.old_images);
    free(make.new_images);
    if (r < 0)
        return r;
    header.profile = params != NULL ? params->profile : HF_DELTA_SMALL;
    header.body_size = body.n;
    digest_of(old, old_n, header.old_sha256);
    digest_of(new_bytes, new_n, header.new_sha256);
    digest_of(body.p, body.n, header.body_sha256);
    r = patch->write(patch->ctx, bytes, delta_header_format(&header, bytes));
    if (r == 0 && body.n > 0)
        r = patch->write(patch->ctx, body.p, body.n);
    return r < 0 ? hf_err_sys(err, r, "write the delta") : 0;
}
