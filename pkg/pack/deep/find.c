/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/deep/find.h"

#include <errno.h>
#include <string.h>

#include "base/array.h"
#include "base/macros.h"

enum { FIND_MIN = 64 /* compressed bytes */ };

struct plain {
    struct hf_buf *buf;
    bool is_full;
};

static int add_plain(void *ctx, const void *bytes, size_t n, struct hf_err *err)
{
    struct plain *plain = ctx;
    int r = hf_buf_add(plain->buf, bytes, n);

    plain->is_full = r == -E2BIG;
    return r < 0 ? hf_err_sys(err, r, "unpack") : 0;
}

void find_list_done(struct find_list *list)
{
    for (size_t i = 0; i < list->n; i++) {
        hf_buf_done(&list->p[i].plain);
        free(list->p[i].marks);
        find_list_free(list->p[i].inside);
    }
    free(list->p);
    memset(list, 0, sizeof(*list));
}

void find_list_free(struct find_list *list)
{
    if (list == NULL)
        return;
    find_list_done(list);
    free(list);
}

/* Returns the length of a gzip member's header (RFC 1952); 0: it is not a gzip member. */
static size_t gzip_head(const unsigned char *p, size_t n)
{
    size_t at = 10;

    if (n < 18 || p[0] != 0x1f || p[1] != 0x8b || p[2] != 8 || (p[3] & 0xe0) != 0)
        return 0;
    if ((p[3] & 4) != 0)
        at += 2 + (size_t)(p[10] | p[11] << 8);
    for (unsigned flag = 8; flag <= 16; flag *= 2) {
        if ((p[3] & flag) == 0)
            continue;
        const unsigned char *end = at < n ? memchr(p + at, 0, HF_MIN(n - at, (size_t)4096)) : NULL;
        if (end == NULL)
            return 0;
        at = (size_t)(end - p) + 1;
    }
    if ((p[3] & 2) != 0)
        at += 2;
    return at < n ? at : 0;
}

/* Returns the length of the local header of a deflated zip member; 0: it is not one. */
static size_t zip_head(const unsigned char *p, size_t n)
{
    if (n < 30 || memcmp(p, "PK\3\4", 4) != 0 || p[8] != 8 || p[9] != 0 || (p[6] & 1) != 0)
        return 0;
    size_t at = 30 + (size_t)(p[26] | p[27] << 8) + (size_t)(p[28] | p[29] << 8);
    return at < n ? at : 0;
}

/* Returns true if a stream may begin here. Sets codec, tail and *ret_head, the length of the header before the
 * stream. */
static bool begins(const unsigned char *p, size_t n, struct found *found, size_t *ret_head)
{
    static const unsigned char xz[] = {0xfd, '7', 'z', 'X', 'Z', 0}, zst[] = {0x28, 0xb5, 0x2f, 0xfd};

    *ret_head = 0;
    found->gzip_tail = false;
    switch (p[0]) {
    case 0x1f:
        found->codec = PACK_CODEC_DEFLATE;
        found->gzip_tail = true;
        return (*ret_head = gzip_head(p, n)) != 0;
    case 'P':
        found->codec = PACK_CODEC_DEFLATE;
        return (*ret_head = zip_head(p, n)) != 0;
    case 0xfd:
        found->codec = PACK_CODEC_XZ;
        return n >= sizeof(xz) && memcmp(p, xz, sizeof(xz)) == 0;
    case 0x28:
        found->codec = PACK_CODEC_ZSTD;
        return n >= sizeof(zst) && memcmp(p, zst, sizeof(zst)) == 0;
    default:
        return false;
    }
}

/* Returns 1 and the unpacked stream, 0 if it is not a stream, -E2BIG if there is no room for it, or -ENOMEM. */
static int unpack(const struct hf_delta_memory *memory, uint64_t *left, struct found *found, struct hf_err *err)
{
    struct plain plain = {.buf = &found->plain};
    const struct hf_delta_old from = {(void *)(uintptr_t)memory, hf_delta_memory_pread, memory->n};
    struct pack_decode decode = {.codec = found->codec,
                                 .gzip_tail = found->gzip_tail,
                                 .from = &from,
                                 .offset = found->offset,
                                 .n = memory->n - found->offset,
                                 .out = {&plain, add_plain},
                                 .memory = &found->memory};
    uint64_t n = 0;

    found->plain = (struct hf_buf)HF_BUF_INIT((size_t)HF_MIN(FIND_PLAIN_MAX, *left));
    int r = pack_decode_some(&decode, &n, err);
    if (r < 0 || n < FIND_MIN || found->plain.n == 0) {
        hf_buf_done(&found->plain);
        if (plain.is_full && *left < FIND_PLAIN_MAX)
            return hf_err_set(err, E2BIG, "unpacked, it is larger than the memory for it");
        return r == -ENOMEM ? r : 0;
    }
    *left -= found->plain.n;
    found->packed_n = (size_t)n;
    hf_sha256_of(memory->p + found->offset, found->packed_n, found->sha256, sizeof(found->sha256));
    return 1;
}

static int add(struct find_list *list, const struct found *found, struct hf_err *err)
{
    if (hf_array_grow(list->p, list->n, list->cap, HF_ARRAY_ANY) < 0)
        return hf_err_set(err, ENOMEM, "out of memory");
    list->p[list->n++] = *found;
    return 0;
}

enum { PASS = 32 };

/* Returns the offset of the next PASS bytes that may hold the beginning of a stream. The inner loop has no exit, so
 * that the compiler can vectorize it. */
static size_t pass_over(const unsigned char *bytes, size_t n, size_t at)
{
    for (; at + PASS < n; at += PASS) {
        const unsigned char *p = bytes + at;
        unsigned char hits = 0;
        for (unsigned i = 0; i < PASS; i++)
            hits |= (unsigned char)(((p[i] == 0x1f) & (p[i + 1] == 0x8b)) | ((p[i] == 'P') & (p[i + 1] == 'K')) |
                                    ((p[i] == 0xfd) & (p[i + 1] == '7')) | ((p[i] == 0x28) & (p[i + 1] == 0xb5)));
        if (hits != 0)
            break;
    }
    return at;
}

int find_streams(const unsigned char *bytes, size_t n, bool quick, uint64_t *left, struct find_list *ret_list,
                 struct hf_err *err)
{
    const struct hf_delta_memory memory = {bytes, n};
    struct find_list list = {.n = 0};
    size_t looked = 0; /* look at each byte before this offset */
    int r = 0;

    for (size_t at = 0; r >= 0 && at < n;) {
        struct found found = {.keep = false};
        size_t head;
        if (at >= looked) {
            at = pass_over(bytes, n, at);
            looked = at + PASS;
        }
        if (!begins(bytes + at, n - at, &found, &head) || (quick && found.codec != PACK_CODEC_ZSTD)) {
            at++;
            continue;
        }
        found.offset = at + head;
        r = unpack(&memory, left, &found, err);
        if (r > 0 && (r = add(&list, &found, err)) < 0)
            hf_buf_done(&found.plain);
        at = found.packed_n > 0 ? found.offset + found.packed_n : at + 1;
    }
    if (r < 0) {
        find_list_done(&list);
        return r;
    }
    *ret_list = list;
    return 0;
}
