#include <errno.h>
#include <string.h>

#include "delta/create.h"

static int make_body(struct delta_make *make, struct hf_buf *body, unsigned *ret_method, struct hf_err *err)
{
    struct delta_match_params match = {make->old, make->new_bytes, make->old_n, make->new_n, NULL, NULL};
    int r;

    if (make->params != NULL) {
        match.progress = make->params->progress;
        match.progress_ctx = make->params->progress_ctx;
    }
    if ((r = delta_match(&match, &make->copies, err)) < 0)
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
