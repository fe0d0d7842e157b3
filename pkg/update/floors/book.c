/* SPDX-License-Identifier: Apache-2.0 */
#include "update/floors/book.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/field/text.h"
#include "base/parse.h"

enum { KEY_MAX = 2 * HF_API_MAX_NAME, LINE_MAX_BYTES = 256 + (HF_SEQUENCE_MAX_USED + 2) * HF_SHA256_HEX };

void hf_floor_book_done(struct hf_floor_book *book)
{
    hf_strmap_done(&book->floors);
}

/* ---- one line ---------------------------------------------------------------------------------------------------- */

static bool take_sequence(struct hf_view *line, uint64_t *ret)
{
    struct hf_view word;
    char digits[24];

    if (!hf_view_split(line, ' ', &word) || word.n >= sizeof(digits))
        return false;
    (void)snprintf(digits, sizeof(digits), "%.*s", (int)word.n, word.p);
    return hf_parse_u64(digits, 0, UINT64_MAX, ret) == 0;
}

static bool take_digest(struct hf_view *line, bool may_be_unknown, char digest[HF_SHA256_HEX])
{
    struct hf_view word;

    digest[0] = '\0';
    if (!hf_view_split(line, ' ', &word))
        return false;
    if (may_be_unknown && hf_view_eq(word, "-"))
        return true;
    (void)snprintf(digest, HF_SHA256_HEX, "%.*s", (int)HF_MIN(word.n, (size_t)HF_SHA256_HEX), word.p);
    return word.n == HF_SHA256_HEX - 1 && hf_text_is_sha256(digest);
}

/* Parses a line without the word "floor" and the key. */
static bool parse_floor(struct hf_view line, struct hf_sequence_history *ret)
{
    *ret = (struct hf_sequence_history){.n_used = 0};
    if (!take_sequence(&line, &ret->top.sequence) || !take_digest(&line, true, ret->top.digest) ||
        !take_sequence(&line, &ret->current.sequence) || !take_digest(&line, true, ret->current.digest))
        return false;
    while (line.p != NULL) {
        if (ret->n_used == HF_SEQUENCE_MAX_USED || !take_digest(&line, false, ret->used[ret->n_used]))
            return false;
        ret->n_used++;
    }
    return true;
}

static const char *or_dash(const char *digest)
{
    return hf_text_is_sha256(digest) ? digest : "-";
}

/* Returns the text that parse_floor() parses, on the heap; NULL if memory runs out. */
static char *format_floor(const struct hf_sequence_history *history)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(LINE_MAX_BYTES);
    int r = hf_buf_addf(&text, "%" PRIu64 " %s %" PRIu64 " %s", history->top.sequence, or_dash(history->top.digest),
                        history->current.sequence, or_dash(history->current.digest));

    for (unsigned i = 0; r == 0 && i < history->n_used; i++)
        r = hf_buf_addf(&text, " %s", history->used[i]);
    return r == 0 ? hf_buf_take(&text) : NULL;
}

/* ---- the book ---------------------------------------------------------------------------------------------------- */

int hf_floor_book_join(struct hf_floor_book *book, const char *key, struct hf_sequence_history *history)
{
    const char *before = hf_strmap_get(&book->floors, key);
    struct hf_sequence_history joined = {.n_used = 0};

    if (before != NULL && !parse_floor(hf_view_of(before), &joined))
        return -EBADMSG;
    hf_sequence_join(&joined, history);
    *history = joined;
    if (joined.top.sequence == 0)
        return 0;
    char *text = format_floor(&joined);
    if (text == NULL)
        return -ENOMEM;
    int r = before == NULL && book->floors.n >= HF_FLOOR_BOOK_MAX ? -E2BIG : 1;
    if (r == 1 && before != NULL && strcmp(before, text) == 0)
        r = 0;
    if (r == 1 && hf_strmap_put(&book->floors, key, text) < 0)
        r = -ENOMEM;
    if (r != 1)
        free(text);
    else
        book->changes++;
    return r;
}

static int add_line(struct hf_floor_book *book, struct hf_view line, struct hf_err *err)
{
    struct hf_sequence_history history;
    struct hf_view word, key;
    char name[KEY_MAX + 1];

    if (!hf_view_split(&line, ' ', &word) || !hf_view_eq(word, "floor") || !hf_view_split(&line, ' ', &key) ||
        key.n == 0 || key.n >= sizeof(name) || memchr(key.p, '\0', key.n) != NULL || line.p == NULL ||
        !parse_floor(line, &history))
        return hf_err_set(err, EBADMSG, "the record of the floors has a malformed line");
    (void)snprintf(name, sizeof(name), "%.*s", (int)key.n, key.p);
    int r = hf_floor_book_join(book, name, &history);
    return r < 0 ? hf_err_sys(err, r, "merge the floor '%s'", name) : r;
}

int hf_floor_book_add(struct hf_floor_book *book, struct hf_view text, struct hf_err *err)
{
    struct hf_view line;
    int changed = 0, r = 0;

    while (r >= 0 && text.n > 0 && hf_view_split(&text, '\n', &line)) {
        r = add_line(book, line, err);
        changed += r > 0;
    }
    return r < 0 ? r : changed;
}

int hf_floor_book_format(const struct hf_floor_book *book, struct hf_buf *out)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < book->floors.n; i++)
        r = hf_buf_addf(out, "floor %s %s\n", book->floors.entries[i].key, (char *)book->floors.entries[i].value);
    return r;
}
