#include "update/fetch_record.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/parse.h"
#include "update/seal.h"

enum { FORMAT = 1, MAX_TEXT = 2048 };

/* Lines "name value"; header values have no line ends. */
int hf_fetch_record_format(const struct hf_fetch_record *record, struct hf_buf *out)
{
    return hf_buf_addf(out, "key %s\noffset %" PRIu64 "\ncomplete %d\npacked %d\netag %s\nlast-modified %s\n",
                       record->key, record->offset, record->complete, record->packed, record->etag,
                       record->last_modified);
}

static int take(struct hf_view *rest, const char *name, char *value, size_t n)
{
    struct hf_view line;
    size_t head = strlen(name);

    if (!hf_view_split(rest, '\n', &line) || !hf_view_starts(line, name) || line.n <= head || line.p[head] != ' ' ||
        line.n - head - 1 >= n || memchr(line.p, '\0', line.n) != NULL)
        return -EBADMSG;
    memcpy(value, line.p + head + 1, line.n - head - 1);
    value[line.n - head - 1] = '\0';
    return 0;
}

static int take_flag(struct hf_view *rest, const char *name, bool *ret)
{
    char value[4];
    int r = take(rest, name, value, sizeof(value));

    if (r < 0 || (strcmp(value, "0") != 0 && strcmp(value, "1") != 0))
        return -EBADMSG;
    *ret = value[0] == '1';
    return 0;
}

int hf_fetch_record_parse(struct hf_view body, struct hf_fetch_record *ret_record)
{
    struct hf_fetch_record record = {.offset = 0};
    char number[24];

    if (take(&body, "key", record.key, sizeof(record.key)) < 0 || take(&body, "offset", number, sizeof(number)) < 0 ||
        hf_parse_u64(number, 0, INT64_MAX, &record.offset) < 0 || take_flag(&body, "complete", &record.complete) < 0 ||
        take_flag(&body, "packed", &record.packed) < 0 || take(&body, "etag", record.etag, sizeof(record.etag)) < 0 ||
        take(&body, "last-modified", record.last_modified, sizeof(record.last_modified)) < 0 || body.n != 0)
        return -EBADMSG;
    *ret_record = record;
    return 0;
}

int hf_fetch_record_load(const struct hf_fs_ops *fs, const char *folder, const char *key,
                         struct hf_fetch_record *ret_record, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_TEXT);
    struct hf_fetch_record record = {.offset = 0};
    struct hf_view body;
    int r = hf_seal_load(fs, folder, "fetch", "fetch", FORMAT, &text, &body, err);

    if (r == 0)
        r = hf_fetch_record_parse(body, &record);
    if (r < 0 && r != -ENOENT && r != -EBADMSG)
        return r;
    if (r < 0 || strcmp(record.key, key) != 0)
        record = (struct hf_fetch_record){.offset = 0};
    (void)snprintf(record.key, sizeof(record.key), "%s", key);
    *ret_record = record;
    return 0;
}

int hf_fetch_record_save(const struct hf_fs_ops *fs, const char *folder, const struct hf_fetch_record *record,
                         struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(MAX_TEXT), text = HF_BUF_INIT(MAX_TEXT);
    int r = hf_fetch_record_format(record, &body);

    if (r == 0)
        r = hf_seal_format("fetch", FORMAT, hf_buf_view(&body), &text);
    return r < 0 ? hf_err_sys(err, r, "format the download's record")
                 : hf_seal_save(fs, folder, "fetch", hf_buf_view(&text), err);
}

int hf_fetch_record_remove(const struct hf_fs_ops *fs, const char *folder, struct hf_err *err)
{
    return hf_seal_remove(fs, folder, "fetch", err);
}
