/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "delta/methods.h"
#include "delta/stripes.h"

int hf_delta_old_hash(const struct hf_delta_old *file, void *piece, size_t piece_n,
                      unsigned char digest[static HF_SHA256_BYTES], struct hf_err *err)
{
    struct hf_sha256 hash;
    uint64_t offset = 0;

    hf_sha256_init(&hash);
    while (offset < file->size) {
        ssize_t n = file->pread(file->ctx, piece, (size_t)HF_MIN((uint64_t)piece_n, file->size - offset), offset);
        if (n < 0)
            return hf_err_sys(err, (int)n, "read the old file at offset %llu", (unsigned long long)offset);
        if (n == 0)
            return hf_err_set(err, ESTALE, "the old file ends at offset %llu, not at %llu", (unsigned long long)offset,
                              (unsigned long long)file->size);
        hf_sha256_update(&hash, piece, (size_t)n);
        offset += (uint64_t)n;
    }
    hf_sha256_final(&hash, digest);
    return 0;
}

static int check_old(struct delta_apply_state *apply, struct hf_err *err)
{
    unsigned char digest[HF_SHA256_BYTES];

    if (apply->header.method == DELTA_METHOD_BYTES)
        return 0;
    int r = hf_delta_old_hash(&apply->params->old, &apply->old->bytes[0][0], sizeof(apply->old->bytes), digest, err);

    memset(apply->old->base, 0, sizeof(apply->old->base)); /* the windows were the buffer */
    if (r < 0)
        return r;
    if (memcmp(digest, apply->header.old_fingerprint, HF_DELTA_FINGERPRINT_BYTES) != 0)
        return hf_err_set(err, ESTALE, "the delta was made from another old file: the sha256 differs");
    return 0;
}

static int start_output(struct delta_apply_state *apply, struct hf_err *err)
{
    const struct hf_delta_checkpoint *resume = apply->params->resume;

    apply->output.out = &apply->params->out;
    apply->output.cancel = apply->params->cancel;
    apply->output.size = apply->header.new_size;
    hf_sha256_init(&apply->output.hash);
    if (resume == NULL)
        return 0;
    if (resume->new_offset > apply->header.new_size || resume->new_offset % DELTA_BLOCK != 0 ||
        hf_sha256_load(&apply->output.hash, resume->new_hash) < 0)
        return hf_err_set(err, EINVAL, "the checkpoint does not belong to this delta");
    apply->output.written = resume->new_offset;
    return 0;
}

static int apply_bytes(struct delta_apply_state *apply, struct hf_err *err)
{
    unsigned char bytes[DELTA_BYTES_MAX];
    int r = delta_bytes_read(apply->input, &apply->header, bytes, err);

    return r == 0 && apply->header.new_size > 0
               ? delta_output_write(&apply->output, bytes, (size_t)apply->header.new_size, err)
               : r;
}

static int run_method(struct delta_apply_state *apply, struct hf_err *err)
{
    switch (apply->header.method) {
    case DELTA_METHOD_RECORDS_ZSTD:
        return delta_apply_zstd(apply, err);
    case DELTA_METHOD_RECORDS_CM:
        return delta_apply_cm(apply, err);
    case DELTA_METHOD_LZMA:
        return delta_apply_lzma(apply, err);
    case DELTA_METHOD_RUNS:
        return delta_apply_runs(apply, err);
    case DELTA_METHOD_BYTES:
        return apply_bytes(apply, err);
    default:
        return hf_err_set(err, EOPNOTSUPP, "unknown delta method %u", apply->header.method);
    }
}

/* The SHA-256 of the new file decides. The fingerprints of the body and the old file only tell which of them is
 * wrong. */
static int check_end(struct delta_apply_state *apply, struct hf_err *err)
{
    unsigned char digest[HF_SHA256_BYTES], last;
    struct hf_sha256 hash = apply->output.hash;
    ssize_t n;

    if (apply->output.written != apply->header.new_size || apply->input->left != 0)
        return hf_err_set(err, EBADMSG, "delta is damaged: sizes do not add up");
    n = apply->input->pos < apply->input->n ? 1 : apply->params->patch.read(apply->params->patch.ctx, &last, 1);
    if (n != 0)
        return n < 0 ? hf_err_sys(err, (int)n, "read the delta's end")
                     : hf_err_set(err, EBADMSG, "bytes follow the end of the delta");
    if (apply->params->unhashed)
        return 0;
    hf_sha256_final(&hash, digest);
    if (memcmp(digest, apply->header.new_sha256, sizeof(digest)) != 0)
        return hf_err_set(err, EBADMSG, "the new file's sha256 is not the one in the delta's header");
    return delta_body_check(apply->input, &apply->header, err);
}

static void tell_info(const struct delta_header *header, uint64_t patch_size, struct hf_delta_info *ret_info)
{
    *ret_info = (struct hf_delta_info){.version = header->version, .method = header->method};
    ret_info->profile = (enum hf_delta_profile)header->profile;
    ret_info->from_any = header->method == DELTA_METHOD_BYTES;
    ret_info->old_size = header->old_size;
    ret_info->new_size = header->new_size;
    ret_info->patch_size = patch_size;
    memcpy(ret_info->old_fingerprint, header->old_fingerprint, HF_DELTA_FINGERPRINT_BYTES);
    memcpy(ret_info->new_sha256, header->new_sha256, HF_SHA256_BYTES);
}

static int apply_from(struct delta_apply_state *apply, uint64_t header_size, struct hf_delta_info *ret_info,
                      struct hf_err *err)
{
    struct hf_err ignored;
    int r;

    if (apply->header.old_size != apply->params->old.size)
        return hf_err_set(err, ESTALE, "the old file has %llu bytes; the delta was made from one of %llu",
                          (unsigned long long)apply->params->old.size, (unsigned long long)apply->header.old_size);
    if ((r = start_output(apply, err)) < 0)
        return r;
    if (!apply->params->old_is_verified && !apply->params->unhashed && apply->params->resume == NULL &&
        (r = check_old(apply, err)) < 0)
        return r;
    r = run_method(apply, err);
    if (r == 0)
        r = delta_output_flush(&apply->output, err);
    if (r == 0)
        r = check_end(apply, err);
    if (r == -EBADMSG && !apply->params->unhashed &&
        (apply->params->old_is_verified || apply->params->resume != NULL) && check_old(apply, &ignored) == -ESTALE)
        r = hf_err_set(err, ESTALE, "the delta was made from another old file: the sha256 differs");
    if (r == 0 && ret_info != NULL)
        tell_info(&apply->header, header_size + apply->header.body_size, ret_info);
    return r;
}

int hf_delta_apply(const struct hf_delta_apply_params *params, struct hf_delta_info *ret_info, struct hf_err *err)
{
    struct delta_input *input = malloc(sizeof(*input));
    struct delta_old *old = malloc(sizeof(*old));
    unsigned char *pending = malloc(DELTA_PENDING_BYTES);
    struct delta_apply_state apply = {.params = params, .input = input, .old = old, .output = {.pending = pending}};
    int r;

    if (input == NULL || old == NULL || pending == NULL) {
        r = hf_err_set(err, ENOMEM, "out of memory");
    } else {
        delta_input_init(input, &params->patch);
        delta_old_init(old, &params->old);
        r = delta_header_read(input, &apply.header, err);
        if (r == 0)
            r = apply_from(&apply, input->offset, ret_info, err);
    }
    free(input);
    free(old);
    free(pending);
    return r;
}

int hf_delta_read_info(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_err *err)
{
    struct delta_input *input = malloc(sizeof(*input));
    unsigned char bytes[DELTA_BYTES_MAX];
    struct delta_header header;
    int r;

    if (input == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    delta_input_init(input, patch);
    r = delta_header_read(input, &header, err);
    uint64_t header_size = input->offset;
    if (r == 0 && header.method == DELTA_METHOD_BYTES)
        r = delta_bytes_read(input, &header, bytes, err);
    if (r == 0)
        tell_info(&header, header_size + header.body_size, ret_info);
    free(input);
    return r;
}

const char *hf_delta_method_name(unsigned method)
{
    switch (method) {
    case DELTA_METHOD_RECORDS_ZSTD:
        return "records-zstd";
    case DELTA_METHOD_RECORDS_CM:
        return "records-cm";
    case DELTA_METHOD_LZMA:
        return "whole-lzma";
    case DELTA_METHOD_RUNS:
        return "runs";
    case DELTA_METHOD_BYTES:
        return "bytes";
    default:
        return "unknown";
    }
}

static int skip_block(struct delta_input *input, unsigned method, struct hf_err *err)
{
    uint64_t n = input->left;
    int r = 0;

    if (method == DELTA_METHOD_RECORDS_CM)
        return delta_stripes_skip(input, err);
    if (method != DELTA_METHOD_RUNS)
        r = delta_input_varint(input, input->left << 1 | 1, &n, err);
    if (method == DELTA_METHOD_RECORDS_ZSTD)
        n >>= 1; /* the lowest bit names the coder */
    return r < 0 ? r : delta_input_skip(input, n, err);
}

static int read_parts(struct delta_input *input, struct delta_header *header, struct hf_delta_parts *parts,
                      struct hf_err *err)
{
    unsigned char bytes[DELTA_BYTES_MAX];
    uint64_t n;
    int r = 0;

    if (header->method == DELTA_METHOD_BYTES) {
        parts->blocks = header->body_size > 0;
        parts->block_bytes = parts->largest_block_bytes = header->body_size;
        r = delta_bytes_read(input, header, bytes, err);
        return r < 0 ? r : delta_body_check(input, header, err);
    }
    if (header->method != DELTA_METHOD_LZMA && header->method != DELTA_METHOD_RUNS &&
        ((r = delta_input_varint(input, input->left, &n, err)) < 0 || (r = delta_input_skip(input, n, err)) < 0))
        return r;
    parts->map_bytes = header->body_size - input->left;
    while (input->left > 0) {
        uint64_t before = input->left;
        if ((r = skip_block(input, header->method, err)) < 0)
            return r;
        parts->blocks++;
        parts->block_bytes += before - input->left;
        parts->largest_block_bytes = HF_MAX(parts->largest_block_bytes, before - input->left);
    }
    return delta_body_check(input, header, err);
}

int hf_delta_check(const struct hf_delta_in *patch, struct hf_delta_info *ret_info, struct hf_delta_parts *ret_parts,
                   struct hf_err *err)
{
    struct delta_input *input = malloc(sizeof(*input));
    struct hf_delta_parts parts = {0};
    struct delta_header header;
    int r;

    if (input == NULL)
        return hf_err_set(err, ENOMEM, "out of memory");
    delta_input_init(input, patch);
    r = delta_header_read(input, &header, err);
    if (r == 0) {
        parts.header_bytes = input->offset;
        r = read_parts(input, &header, &parts, err);
    }
    if (r == 0 && ret_info != NULL)
        tell_info(&header, parts.header_bytes + header.body_size, ret_info);
    if (r == 0 && ret_parts != NULL)
        *ret_parts = parts;
    free(input);
    return r;
}
