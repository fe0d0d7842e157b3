/* SPDX-License-Identifier: Apache-2.0 */
#include "update/state/floor.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "api/field/text.h"
#include "base/parse.h"
#include "codec/state/sealed_file.h"
#include "os/file.h"

enum { COPIES = 2, LINE = 128 };

static const char *const names[COPIES] = {"floor.0", "floor.1"};

/* ---- text -------------------------------------------------------------------------------------------------------- */

static int format_committed(struct hf_buf *body, const char *name, const struct hf_committed *committed)
{
    return hf_buf_addf(body, "%s %" PRIu64 " %s\n", name, committed->sequence,
                       committed->digest[0] != '\0' ? committed->digest : "-");
}

int hf_floor_format(const struct hf_sequence_history *history, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf body = HF_BUF_INIT(HF_FLOOR_MAX_BYTES);
    int r = format_committed(&body, "top", &history->top);

    if (r == 0)
        r = format_committed(&body, "current", &history->current);
    for (unsigned i = 0; r == 0 && i < history->n_used; i++)
        r = hf_buf_addf(&body, "used %s\n", history->used[i]);
    return r < 0 ? r : hf_seal_format("floor", HF_FLOOR_FORMAT, hf_buf_view(&body), out);
}

static bool parse_digest(const char *text, char digest[HF_SHA256_HEX])
{
    if (!hf_text_is_sha256(text))
        return false;
    memcpy(digest, text, HF_SHA256_HEX);
    return true;
}

static bool take_committed(struct hf_view *body, const char *name, struct hf_committed *ret)
{
    char line[LINE], *blank;

    *ret = (struct hf_committed){.sequence = 0};
    if (!hf_seal_take(body, name, line, sizeof(line)) || (blank = strchr(line, ' ')) == NULL)
        return false;
    *blank = '\0';
    return hf_parse_u64(line, 0, UINT64_MAX, &ret->sequence) == 0 &&
           (strcmp(blank + 1, "-") == 0 || parse_digest(blank + 1, ret->digest));
}

static bool parse_lines(struct hf_view body, struct hf_sequence_history *history)
{
    char line[LINE];

    if (!take_committed(&body, "top", &history->top) || !take_committed(&body, "current", &history->current))
        return false;
    while (body.n > 0) {
        if (history->n_used == HF_SEQUENCE_MAX_USED || !hf_seal_take(&body, "used", line, sizeof(line)) ||
            !parse_digest(line, history->used[history->n_used]))
            return false;
        history->n_used++;
    }
    return true;
}

int hf_floor_parse(struct hf_view text, struct hf_sequence_history *ret_history, struct hf_err *err)
{
    struct hf_sequence_history history = {.n_used = 0};
    struct hf_view body;
    int r = hf_seal_open(text, "floor", HF_FLOOR_FORMAT, &body, err);

    if (r < 0)
        return r == -ENOMEM ? r : -EBADMSG;
    if (!parse_lines(body, &history))
        return hf_err_set(err, EBADMSG, "the floor of sequences has an invalid line");
    *ret_history = history;
    return 0;
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
