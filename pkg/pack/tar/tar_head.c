#include "pack/tar/tar_head.h"

#include <errno.h>
#include <string.h>

#include "base/macros.h"

enum {
    AT_NAME = 0,
    AT_MODE = 100,
    AT_UID = 108,
    AT_GID = 116,
    AT_SIZE = 124,
    AT_MTIME = 136,
    AT_SUM = 148,
    AT_TYPE = 156,
    AT_LINK = 157,
    AT_MAGIC = 257,
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
    char text[TAR_BLOCK] = {0};
    unsigned sum = 0;

    memcpy(text + AT_NAME, head->name, strnlen(head->name, NAME_FIELD));
    memcpy(text + AT_LINK, head->target, strnlen(head->target, LINK_FIELD));
    put_octal(text + AT_MODE, 8, head->mode);
    put_octal(text + AT_UID, 8, head->uid <= OCTAL_ID_MAX ? head->uid : 0);
    put_octal(text + AT_GID, 8, head->gid <= OCTAL_ID_MAX ? head->gid : 0);
    put_octal(text + AT_SIZE, 12, head->size <= OCTAL_SIZE_MAX ? head->size : 0);
    put_octal(text + AT_MTIME, 12, 0);
    text[AT_TYPE] = head->type;
    memcpy(text + AT_MAGIC, "ustar\00000", 8);
    memset(text + AT_SUM, ' ', 8);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += (unsigned char)text[i];
    put_octal(text + AT_SUM, 7, sum);
    text[AT_SUM + 6] = '\0';
    return hf_buf_add(out, text, TAR_BLOCK);
}

static int pad(struct hf_buf *out)
{
    static const char zeros[TAR_BLOCK];

    return hf_buf_add(out, zeros, tar_padded(out->n) - out->n);
}

int tar_record_add(struct hf_buf *records, const char *key, const void *value, size_t n)
{
    size_t fixed = strlen(key) + n + 3, digits = 1, total;
    int r;

    /* The length counts itself. */
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

/* What does not fit the old header. */
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
    _cleanup_(hf_buf_done) struct hf_buf records = HF_BUF_INIT(TAR_BLOCK);
    const char *word = words[flags & 3];
    int r = tar_record_add(&records, "HOLDFAST.keeps", word, strlen(word));
    const struct tar_head head = {.type = 'g', .name = "pax", .target = "", .mode = 0644, .size = records.n};

    if (r == 0)
        r = add_block(out, &head);
    if (r == 0)
        r = hf_buf_add(out, records.p, records.n);
    return r == 0 ? pad(out) : r;
}

/* ---- parsing -------------------------------------------------------------------------------------------------------- */

static int damaged(struct hf_err *err, const char *what)
{
    return hf_err_set(err, EBADMSG, "archive: %s", what);
}

static bool get_octal(const unsigned char *field, size_t width, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i + 1 < width; i++) {
        if (field[i] < '0' || field[i] > '7')
            return false;
        value = value << 3 | (field[i] - (uint64_t)'0');
    }
    *ret_value = value;
    return true;
}

size_t tar_head_bytes(const unsigned char block[TAR_BLOCK])
{
    uint64_t size;

    switch (block[AT_TYPE]) {
    case '0':
    case '1':
    case '2':
    case '5':
        return TAR_BLOCK;
    case 'g':
    case 'x':
        if (!get_octal(block + AT_SIZE, 12, &size) || size > OCTAL_SIZE_MAX)
            return 0;
        return (size_t)tar_padded(size) + (block[AT_TYPE] == 'g' ? 1 : 2) * (size_t)TAR_BLOCK;
    default:
        return 0;
    }
}

/* The next record; moves *p. */
static bool next_record(const unsigned char **p, const unsigned char *end, struct hf_view *ret_key,
                        struct hf_view *ret_value)
{
    const unsigned char *start = *p;
    size_t n = 0;

    for (; *p < end && **p >= '0' && **p <= '9' && n < TAR_BLOCK * 1024; (*p)++)
        n = 10 * n + (size_t)(**p - '0');
    if (*p == start || *p == end || **p != ' ' || n > (size_t)(end - start) || n < (size_t)(*p - start) + 3 ||
        start[n - 1] != '\n')
        return false;
    const unsigned char *key = *p + 1, *equals = memchr(key, '=', (size_t)(start + n - key));
    if (equals == NULL)
        return false;
    *ret_key = (struct hf_view){(const char *)key, (size_t)(equals - key)};
    *ret_value = (struct hf_view){(const char *)equals + 1, (size_t)(start + n - 1 - (equals + 1))};
    *p = start + n;
    return true;
}

static bool get_number(struct hf_view value, uint64_t *ret_value)
{
    uint64_t number = 0;

    if (value.n == 0 || value.n > 18)
        return false;
    for (size_t i = 0; i < value.n; i++) {
        if (value.p[i] < '0' || value.p[i] > '9')
            return false;
        number = 10 * number + (uint64_t)(value.p[i] - '0');
    }
    *ret_value = number;
    return true;
}

struct fields {
    struct hf_view name, target;
    uint64_t mode, uid, gid, size;
};

static int parse_records(const unsigned char *p, const unsigned char *end, struct fields *fields, struct hf_buf *xattrs,
                         struct hf_err *err)
{
    while (p < end) {
        const unsigned char *start = p;
        struct hf_view key, value;
        bool ok = next_record(&p, end, &key, &value);
        if (ok && hf_view_eq(key, "path"))
            fields->name = value;
        else if (ok && hf_view_eq(key, "linkpath"))
            fields->target = value;
        else if (ok && hf_view_eq(key, "size"))
            ok = get_number(value, &fields->size);
        else if (ok && hf_view_eq(key, "uid"))
            ok = get_number(value, &fields->uid) && fields->uid <= UINT32_MAX;
        else if (ok && hf_view_eq(key, "gid"))
            ok = get_number(value, &fields->gid) && fields->gid <= UINT32_MAX;
        else if (ok)
            ok = hf_view_starts(key, "SCHILY.xattr.") && hf_buf_add(xattrs, start, (size_t)(p - start)) == 0;
        if (!ok)
            return damaged(err, "a pax record that does not belong there");
    }
    return 0;
}

/* The proof that nothing else was in it: made anew, it is the same. */
static int check_same(const struct tar_head *head, const unsigned char *bytes, size_t n, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf again = HF_BUF_INIT(n + TAR_BLOCK);

    if (tar_head_format(head, &again) < 0 || again.n != n || memcmp(again.p, bytes, n) != 0)
        return damaged(err, "a header that is not canonical");
    return 0;
}

static int parse_prefix(const unsigned char *bytes, size_t n, unsigned *ret_flags, struct hf_err *err)
{
    for (unsigned flags = 1; flags <= 3; flags++) {
        _cleanup_(hf_buf_done) struct hf_buf again = HF_BUF_INIT(4 * TAR_BLOCK);
        if (tar_prefix_format(flags, &again) == 0 && again.n == n && memcmp(again.p, bytes, n) == 0) {
            *ret_flags = flags;
            return 0;
        }
    }
    return damaged(err, "it keeps something that is not known");
}

int tar_head_parse(const unsigned char *bytes, size_t n, struct tar_head *ret_head, unsigned *ret_flags,
                   struct hf_buf *text, struct hf_buf *xattrs, struct hf_err *err)
{
    const unsigned char *last = bytes + n - TAR_BLOCK;
    struct fields fields = {.size = 0};
    int r = 0;

    hf_buf_clear(text);
    hf_buf_clear(xattrs);
    *ret_flags = 0;
    memset(ret_head, 0, sizeof(*ret_head));
    ret_head->type = (char)bytes[AT_TYPE];
    if (bytes[AT_TYPE] == 'g')
        return parse_prefix(bytes, n, ret_flags, err);
    if (strchr("0125", last[AT_TYPE]) == NULL || last[AT_TYPE] == 0)
        return damaged(err, "a member of a kind that does not belong there");
    fields.name = (struct hf_view){(const char *)last + AT_NAME, strnlen((const char *)last + AT_NAME, NAME_FIELD)};
    fields.target = (struct hf_view){(const char *)last + AT_LINK, strnlen((const char *)last + AT_LINK, LINK_FIELD)};
    if (!get_octal(last + AT_MODE, 8, &fields.mode) || !get_octal(last + AT_UID, 8, &fields.uid) ||
        !get_octal(last + AT_GID, 8, &fields.gid) || !get_octal(last + AT_SIZE, 12, &fields.size))
        return damaged(err, "a header with a number that is none");
    if (bytes[AT_TYPE] == 'x') {
        uint64_t records_n = 0;
        if (!get_octal(bytes + AT_SIZE, 12, &records_n) || records_n > n - 2 * (size_t)TAR_BLOCK)
            return damaged(err, "pax records of a wrong length");
        r = parse_records(bytes + TAR_BLOCK, bytes + TAR_BLOCK + records_n, &fields, xattrs, err);
    }
    size_t target_at = fields.name.n + 1;
    if (r == 0 && (hf_buf_add(text, fields.name.p, fields.name.n) < 0 || hf_buf_add(text, "", 1) < 0 ||
                   hf_buf_add(text, fields.target.p, fields.target.n) < 0 || hf_buf_add(text, "", 1) < 0))
        r = damaged(err, "a name that is too long");
    if (r < 0)
        return r;
    *ret_head = (struct tar_head){.type = (char)last[AT_TYPE],
                                  .name = text->p,
                                  .target = text->p + target_at,
                                  .mode = (unsigned)fields.mode,
                                  .uid = (uint32_t)fields.uid,
                                  .gid = (uint32_t)fields.gid,
                                  .size = fields.size,
                                  .xattrs = xattrs};
    return check_same(ret_head, bytes, n, err);
}
