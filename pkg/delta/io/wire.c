/* SPDX-License-Identifier: Apache-2.0 */
/* The header leaves out what follows from other fields: an old file of size 0 has a known hash; an empty body with
 * equal sizes means the same file; DELTA_METHOD_BYTES has the new file itself. Every read checks against `left`,
 * first of the longest header, then of the body, so no length in a delta can lead beyond its end. The old file may
 * be shorter than it says: -ESTALE. The new file is hashed as it leaves the buffer. */
#include "delta/io/wire.h"

#include <errno.h>
#include <string.h>

static const unsigned char magic[3] = {0x89, 'H', 'F'};

size_t delta_put_varint(unsigned char *bytes, uint64_t value)
{
    size_t n = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[n++] = (unsigned char)(value | 0x80);
    bytes[n++] = (unsigned char)value;
    return n;
}

bool delta_get_varint(const unsigned char **p, const unsigned char *end, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (*p == end)
            return false;
        unsigned char byte = *(*p)++;
        if ((shift == 63 && byte > 1) || (byte == 0 && shift > 0))
            return false;
        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* ---- header ---------------------------------------------------------------------------------------------------- */

static bool tells_bytes(const struct delta_header *header)
{
    return header->method == DELTA_METHOD_BYTES;
}

/* True if the body is empty and both sizes are equal: then both files have the same hash. */
static bool is_same(const struct delta_header *header)
{
    return !tells_bytes(header) && header->body_size == 0 && header->old_size == header->new_size;
}

static bool has_old_fingerprint(const struct delta_header *header)
{
    return header->old_size > 0 && !is_same(header) && !tells_bytes(header);
}

static bool has_body_fingerprint(const struct delta_header *header)
{
    return header->body_size > 0;
}

size_t delta_header_format(const struct delta_header *header, unsigned char *bytes)
{
    unsigned char *p = bytes;

    memcpy(p, magic, sizeof(magic));
    p += sizeof(magic);
    *p++ = (unsigned char)header->version;
    *p++ = (unsigned char)(header->profile << DELTA_METHOD_BITS | header->method);
    p += delta_put_varint(p, header->old_size);
    p += delta_put_varint(p, delta_zigzag((int64_t)(header->new_size - header->old_size)));
    if (!tells_bytes(header)) {
        p += delta_put_varint(p, header->body_size);
        memcpy(p, header->new_sha256, HF_SHA256_BYTES);
        p += HF_SHA256_BYTES;
    }
    if (has_old_fingerprint(header)) {
        memcpy(p, header->old_fingerprint, HF_DELTA_FINGERPRINT_BYTES);
        p += HF_DELTA_FINGERPRINT_BYTES;
    }
    if (has_body_fingerprint(header)) {
        memcpy(p, header->body_fingerprint, HF_DELTA_FINGERPRINT_BYTES);
        p += HF_DELTA_FINGERPRINT_BYTES;
    }
    return (size_t)(p - bytes);
}

void delta_input_init(struct delta_input *input, const struct hf_delta_in *in)
{
    memset(input, 0, offsetof(struct delta_input, buffer));
    input->in = in;
    input->left = DELTA_HEADER_MAX;
    hf_sha256_init(&input->body_hash);
}

static int read_sizes(struct delta_input *input, struct delta_header *header, struct hf_err *err)
{
    uint64_t grown;
    int r;

    if ((r = delta_input_varint(input, INT64_MAX, &header->old_size, err)) < 0 ||
        (r = delta_input_varint(input, UINT64_MAX, &grown, err)) < 0)
        return r;
    header->new_size = header->body_size = header->old_size + (uint64_t)delta_unzigzag(grown);
    if (header->new_size > (tells_bytes(header) ? (uint64_t)DELTA_BYTES_MAX : (uint64_t)INT64_MAX))
        return hf_err_set(err, EBADMSG, "invalid size of the new file");
    return tells_bytes(header) ? 0 : delta_input_varint(input, INT64_MAX, &header->body_size, err);
}

static int read_hashes(struct delta_input *input, struct delta_header *header, struct hf_err *err)
{
    struct hf_sha256 nothing;
    unsigned char digest[HF_SHA256_BYTES];
    int r = 0;

    hf_sha256_init(&nothing);
    hf_sha256_final(&nothing, digest);
    if (!tells_bytes(header) && (r = delta_input_read(input, header->new_sha256, HF_SHA256_BYTES, err)) < 0)
        return r;
    if (header->old_size == 0 || is_same(header))
        memcpy(header->old_fingerprint, is_same(header) ? header->new_sha256 : digest, HF_DELTA_FINGERPRINT_BYTES);
    if (has_old_fingerprint(header))
        r = delta_input_read(input, header->old_fingerprint, HF_DELTA_FINGERPRINT_BYTES, err);
    if (r == 0 && has_body_fingerprint(header))
        r = delta_input_read(input, header->body_fingerprint, HF_DELTA_FINGERPRINT_BYTES, err);
    return r;
}

int delta_header_read(struct delta_input *input, struct delta_header *ret_header, struct hf_err *err)
{
    struct delta_header header = {.version = 0};
    unsigned char fixed[DELTA_METHOD_AT + 1];
    int r;

    if ((r = delta_input_read(input, fixed, sizeof(fixed), err)) < 0)
        return r;
    if (memcmp(fixed, magic, sizeof(magic)) != 0)
        return hf_err_set(err, EBADMSG, "not a holdfast delta: wrong magic");
    header.version = fixed[sizeof(magic)];
    header.profile = fixed[DELTA_METHOD_AT] >> DELTA_METHOD_BITS;
    header.method = fixed[DELTA_METHOD_AT] & ((1U << DELTA_METHOD_BITS) - 1);
    if (header.version != DELTA_VERSION)
        return hf_err_set(err, EOPNOTSUPP, "unsupported delta format version %u; this program supports version %d",
                          header.version, DELTA_VERSION);
    if (header.profile > HF_DELTA_FAST)
        return hf_err_set(err, EOPNOTSUPP, "unknown delta profile %u", header.profile);
    if ((r = read_sizes(input, &header, err)) < 0 || (r = read_hashes(input, &header, err)) < 0)
        return hf_err_wrap(err, r, "delta header");
    input->in_body = true;
    input->left = header.body_size;
    *ret_header = header;
    return 0;
}

int delta_bytes_read(struct delta_input *input, struct delta_header *header,
                     unsigned char bytes[static DELTA_BYTES_MAX], struct hf_err *err)
{
    int r = delta_input_read(input, bytes, (size_t)header->body_size, err);

    if (r < 0)
        return r;
    hf_sha256_of(bytes, (size_t)header->body_size, header->new_sha256, sizeof(header->new_sha256));
    return 0;
}

int delta_body_check(const struct delta_input *input, const struct delta_header *header, struct hf_err *err)
{
    unsigned char digest[HF_SHA256_BYTES];
    struct hf_sha256 hash = input->body_hash;

    hf_sha256_final(&hash, digest);
    if (!has_body_fingerprint(header) || memcmp(digest, header->body_fingerprint, HF_DELTA_FINGERPRINT_BYTES) == 0)
        return 0;
    return hf_err_set(err, EBADMSG, "delta is damaged: its own sha256 differs");
}

/* ---- patch in -------------------------------------------------------------------------------------------------- */

static int fill(struct delta_input *input, struct hf_err *err)
{
    ssize_t n = input->in->read(input->in->ctx, input->buffer, sizeof(input->buffer));

    if (n < 0)
        return hf_err_sys(err, (int)n, "read the delta at offset %llu", (unsigned long long)input->offset);
    if (n == 0)
        return hf_err_set(err, EBADMSG, "delta is cut off at byte %llu", (unsigned long long)input->offset);
    input->pos = 0;
    input->n = (size_t)n;
    return 0;
}

int delta_input_read(struct delta_input *input, void *bytes, size_t n, struct hf_err *err)
{
    unsigned char *to = bytes;

    if (n > input->left)
        return hf_err_set(err, EBADMSG, "delta is damaged: a part exceeds the body at byte %llu",
                          (unsigned long long)input->offset);
    while (n > 0) {
        int r = input->pos == input->n ? fill(input, err) : 0;
        if (r < 0)
            return r;
        size_t part = HF_MIN(n, input->n - input->pos);
        if (input->in_body)
            hf_sha256_update(&input->body_hash, input->buffer + input->pos, part);
        if (to != NULL) {
            memcpy(to, input->buffer + input->pos, part);
            to += part;
        }
        input->pos += part;
        input->offset += part;
        input->left -= part;
        n -= part;
    }
    return 0;
}

int delta_input_skip(struct delta_input *input, uint64_t n, struct hf_err *err)
{
    return delta_input_read(input, NULL, (size_t)n, err);
}

int delta_input_varint(struct delta_input *input, uint64_t max, uint64_t *ret_value, struct hf_err *err)
{
    unsigned char bytes[10];
    const unsigned char *p = bytes;
    unsigned n = 0;
    uint64_t value;

    do {
        int r = delta_input_read(input, &bytes[n], 1, err);
        if (r < 0)
            return r;
    } while ((bytes[n++] & 0x80) != 0 && n < sizeof(bytes));
    if (!delta_get_varint(&p, bytes + n, &value) || value > max)
        return hf_err_set(err, EBADMSG, "delta is damaged: bad number at byte %llu", (unsigned long long)input->offset);
    *ret_value = value;
    return 0;
}

/* ---- old file -------------------------------------------------------------------------------------------------- */

void delta_old_init(struct delta_old *old, const struct hf_delta_old *file)
{
    memset(old, 0, offsetof(struct delta_old, bytes));
    old->file = file;
    old->slots = DELTA_SLOTS;
    old->size = file->size;
}

static int load_slot(struct delta_old *old, uint64_t base, unsigned *ret_slot, struct hf_err *err)
{
    unsigned slot = old->next;
    uint64_t offset = base * DELTA_SLOT_BYTES;
    size_t want = (size_t)HF_MIN(old->size - offset, (uint64_t)DELTA_SLOT_BYTES), have = 0;

    old->next = slot + 1 < old->slots ? slot + 1 : 0;
    old->base[slot] = 0;
    while (have < want) {
        ssize_t n = old->file->pread(old->file->ctx, old->bytes[slot] + have, want - have, offset + have);
        if (n < 0)
            return hf_err_sys(err, (int)n, "read the old file at offset %llu", (unsigned long long)(offset + have));
        if (n == 0)
            return hf_err_set(err, ESTALE, "the old file ends at offset %llu, not at %llu",
                              (unsigned long long)(offset + have), (unsigned long long)old->size);
        have += (size_t)n;
    }
    memset(old->bytes[slot] + have, 0, DELTA_SLOT_BYTES - have);
    old->base[slot] = base + 1;
    *ret_slot = slot;
    return 0;
}

int delta_old_read(struct delta_old *old, uint64_t offset, void *bytes, size_t n, struct hf_err *err)
{
    unsigned char *to = bytes;

    while (n > 0) {
        uint64_t base = offset / DELTA_SLOT_BYTES;
        size_t at = offset % DELTA_SLOT_BYTES, part = HF_MIN(n, DELTA_SLOT_BYTES - at);
        unsigned slot = 0;

        if (offset >= old->size) { /* includes negative offsets, wrapped */
            memset(to, 0, n);
            return 0;
        }
        while (slot < old->slots && old->base[slot] != base + 1)
            slot++;
        if (slot == old->slots) {
            int r = load_slot(old, base, &slot, err);
            if (r < 0)
                return r;
        }
        memcpy(to, old->bytes[slot] + at, part);
        to += part;
        offset += part;
        n -= part;
    }
    return 0;
}

/* ---- new file out ---------------------------------------------------------------------------------------------- */

static int pass_on(struct delta_output *output, const void *bytes, size_t n, struct hf_err *err)
{
    hf_sha256_update(&output->hash, bytes, n);
    int r = output->out->write(output->out->ctx, bytes, n);
    return r < 0 ? hf_err_sys(err, r, "write the new file at offset %llu",
                              (unsigned long long)(output->written - output->pending_n))
                 : 0;
}

int delta_output_flush(struct delta_output *output, struct hf_err *err)
{
    int r = output->pending_n > 0 ? pass_on(output, output->pending, output->pending_n, err) : 0;

    if (r == 0)
        output->pending_n = 0;
    return r;
}

int delta_output_write(struct delta_output *output, const void *bytes, size_t n, struct hf_err *err)
{
    if (n > output->size - output->written)
        return hf_err_set(err, EBADMSG, "delta is damaged: it makes more than %llu bytes",
                          (unsigned long long)output->size);
    if (output->cancel != NULL && output->written >= output->next_look) {
        output->next_look = output->written + DELTA_CANCEL_STEP;
        if (atomic_load_explicit(output->cancel, memory_order_relaxed))
            return hf_err_set(err, ECANCELED, "canceled at byte %llu of the new file",
                              (unsigned long long)output->written);
    }
    if (n > DELTA_PENDING_BYTES - output->pending_n) {
        int r = delta_output_flush(output, err);
        if (r < 0)
            return r;
    }
    if (n > DELTA_PENDING_BYTES) {
        int r = pass_on(output, bytes, n, err);
        if (r < 0)
            return r;
    } else {
        memcpy(output->pending + output->pending_n, bytes, n);
        output->pending_n += n;
    }
    output->written += n;
    return 0;
}
