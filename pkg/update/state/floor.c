/* SPDX-License-Identifier: Apache-2.0 */
/* <folder>/floor.0 and floor.1 (codec/state/record.h) hold the same text, and a load merges them, so that one damaged
 * block does not let an old release in. The floor rises only at the commit, because the node must be able to restore
 * the old version until then. Further copies: update/install/floor_copy.h. */
#include "update/state/floor.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "api/field/text.h"
#include "base/parse.h"
#include "codec/seal.h"
#include "os/file.h"

enum { COPIES = 2 };

static const char *const names[COPIES] = {"floor.0", "floor.1"};

/* ---- text -------------------------------------------------------------------------------------------------------- */

static const struct hf_record_row release_rows[] = {
    HF_RECORD_ROW(struct hf_committed, "sequence", sequence, .required = true),
    HF_RECORD_ROW_OF(HF_RECORD_SHA256, struct hf_committed, "digest", digest),
};
static const struct hf_record_rows release_fields = HF_RECORD_ROWS(release_rows);

#define RELEASE(name_, member_)                                                                                        \
    HF_RECORD_ROW_OF(HF_RECORD_STRUCT, struct hf_sequence_history, name_, member_, .required = true,                   \
                     .fields = &release_fields)

static const struct hf_record_row rows[] = {
    RELEASE("top", top),
    RELEASE("current", current),
    HF_RECORD_ARRAY(HF_RECORD_SHA256, struct hf_sequence_history, "used", used,
                    offsetof(struct hf_sequence_history, n_used), .required = true),
};

/* An empty text among them would be room that no downgrade has used. */
static bool used_are_named(const void *record)
{
    const struct hf_sequence_history *history = record;

    for (unsigned i = 0; i < history->n_used; i++)
        if (history->used[i][0] == '\0')
            return false;
    return true;
}

const struct hf_record_type hf_floor_type = {.name = "floor",
                                             .version = 3,
                                             .size = sizeof(struct hf_sequence_history),
                                             .max_bytes = HF_FLOOR_MAX_BYTES,
                                             .rows = HF_RECORD_ROWS(rows),
                                             .valid = used_are_named};

int hf_floor_format(const struct hf_sequence_history *history, struct hf_buf *out)
{
    return hf_record_format(&hf_floor_type, history, out);
}

/* "<sequence> <digest, or ->" in the lines of version 2. */
static bool take_committed(struct hf_view *body, const char *name, struct hf_committed *ret)
{
    char line[128], *blank;

    if (!hf_seal_take(body, name, line, sizeof(line)) || (blank = strchr(line, ' ')) == NULL)
        return false;
    *blank++ = '\0';
    if (strcmp(blank, "-") != 0 && !hf_text_is_sha256(blank))
        return false;
    (void)snprintf(ret->digest, sizeof(ret->digest), "%s", strcmp(blank, "-") != 0 ? blank : "");
    return hf_parse_u64(line, 0, UINT64_MAX, &ret->sequence) == 0;
}

/* Agents before the tables of records wrote lines. An upgrade of the agent must not open the way for an old release. */
static int parse_version_2(struct hf_view text, struct hf_sequence_history *ret)
{
    struct hf_sequence_history history = {.n_used = 0};
    struct hf_view body;
    int r = hf_seal_open(text, "floor", 2, &body, NULL);

    if (r < 0)
        return r;
    if (!take_committed(&body, "top", &history.top) || !take_committed(&body, "current", &history.current))
        return -EBADMSG;
    for (; body.n > 0; history.n_used++) {
        char line[HF_SHA256_HEX];
        if (history.n_used == HF_SEQUENCE_MAX_USED || !hf_seal_take(&body, "used", line, sizeof(line)) ||
            !hf_text_is_sha256(line))
            return -EBADMSG;
        memcpy(history.used[history.n_used], line, sizeof(line));
    }
    *ret = history;
    return 0;
}

int hf_floor_parse(struct hf_view text, struct hf_sequence_history *ret_history, struct hf_err *err)
{
    if (parse_version_2(text, ret_history) == 0)
        return 0;
    int r = hf_record_parse(&hf_floor_type, text, ret_history, err);

    return r == -EOPNOTSUPP ? -EBADMSG : r;
}

/* ---- files ------------------------------------------------------------------------------------------------------- */

/* 0, -ENOENT, -EBADMSG (set aside), or the error of the read. *text is the content. */
static int load_copy(const struct hf_fs_ops *fs, const char *folder, int copy, struct hf_buf *text,
                     struct hf_sequence_history *ret_history, struct hf_err *err)
{
    char path[PATH_MAX];

    if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, names[copy]) >= sizeof(path))
        return hf_err_set(err, ENAMETOOLONG, "path '%.100s...' is too long", folder);
    int r = hf_file_read(fs, path, text, err);
    if (r == 0)
        r = hf_floor_parse(hf_buf_view(text), ret_history, err);
    return hf_file_is_damage(r) ? hf_sealed_file_set_aside(fs, folder, names[copy], err) : r;
}

int hf_floor_load(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *ret_history,
                  unsigned *ret_damaged, struct hf_err *err)
{
    struct hf_sequence_history joined = {.n_used = 0};
    unsigned damaged = 0, good = 0;
    int unreadable = 0;

    for (int copy = 0; copy < COPIES; copy++) {
        _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_MAX_BYTES);
        struct hf_sequence_history history;
        int r = load_copy(fs, folder, copy, &text, &history, err);
        if (r == 0)
            hf_sequence_join(&joined, &history);
        else if (r != -ENOENT)
            damaged++;
        if (r < 0 && r != -ENOENT && r != -EBADMSG)
            unreadable = r;
        good += r == 0;
    }
    /* Nobody knows what an unreadable file has; without the other one, that may be all that there is. */
    if (unreadable < 0 && good == 0)
        return unreadable;
    *ret_history = joined;
    *ret_damaged = damaged;
    return 0;
}

/* True if the file has this text already. */
static bool has_text(const struct hf_fs_ops *fs, const char *folder, int copy, const struct hf_buf *text)
{
    _cleanup_(hf_buf_done) struct hf_buf have = HF_BUF_INIT(HF_FLOOR_MAX_BYTES);
    struct hf_sequence_history ignored;

    return load_copy(fs, folder, copy, &have, &ignored, NULL) == 0 && have.n == text->n &&
           memcmp(have.p, text->p, text->n) == 0;
}

int hf_floor_save(const struct hf_fs_ops *fs, const char *folder, struct hf_sequence_history *history,
                  struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_FLOOR_MAX_BYTES);
    struct hf_sequence_history joined;
    unsigned damaged = 0;
    int r = hf_floor_load(fs, folder, &joined, &damaged, err);

    if (r < 0)
        return r;
    hf_sequence_join(&joined, history);
    r = hf_floor_format(&joined, &text);
    for (int copy = 0; r == 0 && copy < COPIES; copy++)
        if (!has_text(fs, folder, copy, &text))
            r = hf_sealed_file_save(fs, folder, names[copy], hf_buf_view(&text), err);
    if (r < 0)
        return hf_err_wrap(err, r, "raise the floor");
    *history = joined;
    return 0;
}
