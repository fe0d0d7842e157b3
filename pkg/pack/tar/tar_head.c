/* SPDX-License-Identifier: Apache-2.0 */
#include "pack/tar/tar_head.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"
#include "pack/tar/tar_fields.h"

enum {
    NAME_FIELD = 100,
    LINK_FIELD = 100,
};
#define OCTAL_SIZE_MAX 077777777777ull
#define OCTAL_ID_MAX 07777777u

static void put_octal(char *field, size_t width, uint64_t value)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%0*llo", (int)width - 1, (unsigned long long)value);
    memcpy(field, text, width - 1);
}

static int add_block(struct hf_buf *out, const struct tar_head *head)
{
    char text[HF_TAR_BLOCK] = {0};
    unsigned sum = 0;

    memcpy(text + TAR_AT_NAME, head->name, strnlen(head->name, NAME_FIELD));
    memcpy(text + TAR_AT_LINK, head->target, strnlen(head->target, LINK_FIELD));
    put_octal(text + TAR_AT_MODE, 8, head->mode);
    put_octal(text + TAR_AT_UID, 8, head->uid <= OCTAL_ID_MAX ? head->uid : 0);
    put_octal(text + TAR_AT_GID, 8, head->gid <= OCTAL_ID_MAX ? head->gid : 0);
    put_octal(text + TAR_AT_SIZE, 12, head->size <= OCTAL_SIZE_MAX ? head->size : 0);
    put_octal(text + TAR_AT_MTIME, 12, 0);
    text[TAR_AT_TYPE] = head->type;
    memcpy(text + TAR_AT_MAGIC, "ustar\00000", 8);
    memset(text + TAR_AT_CHECKSUM, ' ', 8);
    for (size_t i = 0; i < HF_TAR_BLOCK; i++)
        sum += (unsigned char)text[i];
    put_octal(text + TAR_AT_CHECKSUM, 7, sum);
    text[TAR_AT_CHECKSUM + 6] = '\0';
    return hf_buf_add(out, text, HF_TAR_BLOCK);
}

static int pad(struct hf_buf *out)
{
    static const char zeros[HF_TAR_BLOCK];

    return hf_buf_add(out, zeros, (size_t)(hf_tar_padded(out->n) - out->n));
}

int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n)
{
    size_t fixed = strlen(key) + n + 3, digits = 1, total;
    int r;

    /* The length includes its own digits. */
    for (;;) {
        char text[24];
        total = fixed + digits;
        size_t wanted = (size_t)snprintf(text, sizeof(text), "%zu", total);
        if (wanted == digits)
            break;
        digits = wanted;
    }
    if ((r = hf_buf_addf(records, "%zu %s=", total, key)) < 0 || (r = hf_buf_add(records, value, n)) < 0)
        return r;
    return hf_buf_add(records, "\n", 1);
}

static int add_number(struct hf_buf *records, const char *key, uint64_t value)
{
    char text[24];
    int n = snprintf(text, sizeof(text), "%llu", (unsigned long long)value);

    return tar_record_add(records, key, text, (size_t)n);
}

/* Adds records for values that do not fit the ustar header. */
static int add_records(const struct tar_head *head, struct hf_buf *records)
{
    int r = 0;

    if (strlen(head->name) > NAME_FIELD)
        r = tar_record_add(records, "path", head->name, strlen(head->name));
    if (r == 0 && strlen(head->target) > LINK_FIELD)
        r = tar_record_add(records, "linkpath", head->target, strlen(head->target));
    if (r == 0 && head->size > OCTAL_SIZE_MAX)
        r = add_number(records, "size", head->size);
    if (r == 0 && head->uid > OCTAL_ID_MAX)
        r = add_number(records, "uid", head->uid);
    if (r == 0 && head->gid > OCTAL_ID_MAX)
        r = add_number(records, "gid", head->gid);
    if (r == 0 && head->xattrs != NULL && head->xattrs->n > 0)
        r = hf_buf_add(records, head->xattrs->p, head->xattrs->n);
    return r;
}

int tar_head_format(const struct tar_head *head, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf records = HF_BUF_INIT(out->max);
    int r = add_records(head, &records);

    if (r == 0 && records.n > 0) {
        const struct tar_head extended = {.type = 'x', .name = "pax", .target = "", .mode = 0644, .size = records.n};
        r = add_block(out, &extended);
        if (r == 0)
            r = hf_buf_add(out, records.p, records.n);
        if (r == 0)
            r = pad(out);
    }
    return r == 0 ? add_block(out, head) : r;
}

int tar_prefix_format(unsigned flags, struct hf_buf *out)
{
    static const char *const words[] = {"", "owners", "xattrs", "owners,xattrs"};
    _cleanup_(hf_buf_done) struct hf_buf records = HF_BUF_INIT(HF_TAR_BLOCK);
    const char *word = words[flags & 3];
    int r = tar_record_add(&records, "HOLDFAST.keeps", word, strlen(word));
    const struct tar_head head = {.type = 'g', .name = "pax", .target = "", .mode = 0644, .size = records.n};

    if (r == 0)
        r = add_block(out, &head);
    if (r == 0)
        r = hf_buf_add(out, records.p, records.n);
    return r == 0 ? pad(out) : r;
}

/* ---- checking ---------------------------------------------------------------------------------------------------- */

int tar_head_check(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf again = HF_BUF_INIT(n + HF_TAR_BLOCK);

    if (tar_head_format(head, &again) < 0 || again.n != n || memcmp(again.p, bytes, n) != 0)
        return hf_err_set(err, EBADMSG, "archive: the header of '%.200s' is not canonical", head->name);
    return 0;
}

int tar_prefix_check(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err)
{
    for (unsigned flags = 1; flags <= 3; flags++) {
        _cleanup_(hf_buf_done) struct hf_buf again = HF_BUF_INIT(4 * HF_TAR_BLOCK);
        if (tar_prefix_format(flags, &again) == 0 && again.n == n && memcmp(again.p, bytes, n) == 0) {
            *ret_flags = flags;
            return 0;
        }
    }
    return hf_err_set(err, EBADMSG, "archive: unknown global header");
}
