/* SPDX-License-Identifier: Apache-2.0 */
#include "spool/record.h"

#include <errno.h>
#include <string.h>

#include "base/endian.h"
#include "spool/crc32c.h"

enum { RECORD_MAGIC = 0x48465231, CURSOR_MAGIC = 0x48464331, VERSION = 1 };
#define BEGINS 0x80000000u
#define JUMPS 0x40000000u /* flags in the field of the length */

static const char segment_magic[8] = "HFSPOOL\n";

void hf_spool_header_format(const struct hf_spool_header *header, unsigned char bytes[static HF_SPOOL_SEGMENT_HEADER])
{
    memset(bytes, 0, HF_SPOOL_SEGMENT_HEADER);
    memcpy(bytes, segment_magic, sizeof(segment_magic));
    hf_put_le32(bytes + 8, VERSION);
    hf_put_le32(bytes + 12, header->salt);
    hf_put_le64(bytes + 16, header->size);
    hf_put_le64(bytes + 24, header->first);
    memcpy(bytes + 32, header->stream, sizeof(header->stream));
    hf_put_le64(bytes + 48, header->skip_from);
    hf_put_le32(bytes + 60, hf_crc32c(0, bytes, 60));
}

int hf_spool_header_parse(const unsigned char bytes[static HF_SPOOL_SEGMENT_HEADER], struct hf_spool_header *ret)
{
    if (memcmp(bytes, segment_magic, sizeof(segment_magic)) != 0 || hf_le32(bytes + 60) != hf_crc32c(0, bytes, 60))
        return -EBADMSG;
    if (hf_le32(bytes + 8) != VERSION)
        return -EOPNOTSUPP;
    ret->salt = hf_le32(bytes + 12);
    ret->size = hf_le64(bytes + 16);
    ret->first = hf_le64(bytes + 24);
    memcpy(ret->stream, bytes + 32, sizeof(ret->stream));
    ret->skip_from = hf_le64(bytes + 48);
    return 0;
}

static uint32_t record_crc(const unsigned char *head, struct hf_view payload, uint32_t salt)
{
    unsigned char seed[4];

    hf_put_le32(seed, salt);
    uint32_t crc = hf_crc32c(0, seed, sizeof(seed));
    crc = hf_crc32c(crc, head, 28);
    return hf_crc32c(crc, payload.p, payload.n);
}

int hf_spool_record_format(const struct hf_spool_record *record, uint32_t salt, struct hf_buf *out)
{
    size_t n = record->payload.n;
    size_t whole = hf_spool_record_bytes(n);

    if (n > HF_SPOOL_MAX_PAYLOAD)
        return -E2BIG;
    int r = hf_buf_reserve(out, whole);
    if (r < 0)
        return r;
    unsigned char *head = (unsigned char *)out->p + out->n;
    uint32_t length = (uint32_t)n | (record->begins ? BEGINS : 0) | (record->jumps ? JUMPS : 0);
    hf_put_le64(head, (uint64_t)length << 32 | RECORD_MAGIC);
    hf_put_le64(head + 8, record->sequence);
    hf_put_le64(head + 16, record->unix_ns);
    hf_put_le32(head + 24, record->tag);
    hf_put_le32(head + 28, record_crc(head, record->payload, salt));
    if (n > 0)
        memcpy(head + HF_SPOOL_RECORD_HEADER, record->payload.p, n);
    memset(head + HF_SPOOL_RECORD_HEADER + n, 0, whole - HF_SPOOL_RECORD_HEADER - n);
    out->n += whole;
    out->p[out->n] = '\0';
    return 0;
}

int64_t hf_spool_record_parse(const unsigned char *bytes, size_t n, uint32_t salt, struct hf_spool_record *ret,
                              size_t *ret_need)
{
    if (n < HF_SPOOL_RECORD_HEADER) {
        *ret_need = HF_SPOOL_RECORD_HEADER;
        return 0;
    }
    size_t length = hf_le32(bytes + 4) & ~(BEGINS | JUMPS);
    if (hf_le32(bytes) != RECORD_MAGIC || length > HF_SPOOL_MAX_PAYLOAD)
        return -EBADMSG;
    size_t whole = hf_spool_record_bytes(length);
    if (n < whole) {
        *ret_need = whole;
        return 0;
    }
    struct hf_view payload = {(const char *)bytes + HF_SPOOL_RECORD_HEADER, length};
    if (hf_le32(bytes + 28) != record_crc(bytes, payload, salt))
        return -EBADMSG;
    *ret = (struct hf_spool_record){hf_le64(bytes + 8),
                                    hf_le64(bytes + 16),
                                    hf_le32(bytes + 24),
                                    payload,
                                    (hf_le32(bytes + 4) & BEGINS) != 0,
                                    (hf_le32(bytes + 4) & JUMPS) != 0};
    return (int64_t)whole;
}

bool hf_spool_record_begins(const unsigned char *bytes)
{
    return hf_le32(bytes) == RECORD_MAGIC;
}

bool hf_spool_record_claims(const unsigned char *bytes, size_t n, uint64_t sequence)
{
    return n >= 16 && hf_le32(bytes) == RECORD_MAGIC && hf_le64(bytes + 8) == sequence;
}

void hf_spool_cursor_format(const struct hf_spool_cursor *cursor, unsigned char bytes[static HF_SPOOL_CURSOR_SLOT])
{
    memset(bytes, 0, HF_SPOOL_CURSOR_SLOT);
    hf_put_le32(bytes, CURSOR_MAGIC);
    hf_put_le32(bytes + 4, VERSION);
    hf_put_le64(bytes + 8, cursor->counter);
    hf_put_le64(bytes + 16, cursor->delivered);
    hf_put_le64(bytes + 24, cursor->newest);
    hf_put_le32(bytes + 36, hf_crc32c(0, bytes, 36));
}

int hf_spool_cursor_parse(const unsigned char bytes[static HF_SPOOL_CURSOR_SLOT], struct hf_spool_cursor *ret)
{
    if (hf_le32(bytes) != CURSOR_MAGIC || hf_le32(bytes + 36) != hf_crc32c(0, bytes, 36))
        return -EBADMSG;
    if (hf_le32(bytes + 4) != VERSION)
        return -EOPNOTSUPP;
    ret->counter = hf_le64(bytes + 8);
    ret->delivered = hf_le64(bytes + 16);
    ret->newest = hf_le64(bytes + 24);
    return 0;
}
