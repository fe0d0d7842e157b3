/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/ui/board.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/strmap.h"

struct shown {
    struct hf_list link; /* in order of `version` */
    uint64_t version;
    size_t n;
    char text[];
};

struct hf_ui_board {
    struct hf_strmap rows; /* "KIND/NAME" to struct shown */
    struct hf_list changed;
    uint64_t version;
};

static void free_row(void *value)
{
    struct shown *row = value;

    hf_list_remove(&row->link);
    free(row);
}

struct hf_ui_board *hf_ui_board_new(void)
{
    struct hf_ui_board *board = calloc(1, sizeof(*board));

    if (board == NULL)
        return NULL;
    hf_list_init(&board->changed);
    board->rows.free_value = free_row;
    return board;
}

void hf_ui_board_free(struct hf_ui_board *board)
{
    if (board == NULL)
        return;
    hf_strmap_done(&board->rows);
    free(board);
}

static int put_text(struct hf_ui_board *board, const char *key, struct hf_view text)
{
    const struct shown *before = hf_strmap_get(&board->rows, key);

    if (before != NULL && before->n == text.n && memcmp(before->text, text.p, text.n) == 0)
        return 0;
    if (before == NULL && board->rows.n >= HF_UI_MAX_ROWS)
        return -E2BIG;
    struct shown *row = malloc(sizeof(*row) + text.n);
    if (row == NULL)
        return -ENOMEM;
    hf_list_init(&row->link);
    row->n = text.n;
    memcpy(row->text, text.p, text.n);
    int r = hf_strmap_put(&board->rows, key, row);
    if (r < 0) {
        free(row);
        return r;
    }
    row->version = ++board->version;
    hf_list_append(&board->changed, &row->link);
    return 0;
}

static char *key_of(const char *kind, const char *name)
{
    return hf_asprintf("%s/%s", kind, name);
}

int hf_ui_board_put(struct hf_ui_board *board, const char *kind, const char *name, json_t *row)
{
    _cleanup_(hf_json_freep) json_t *mine = row;
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_UI_MAX_ROW_BYTES);
    _cleanup_(hf_freep) char *key = key_of(kind, name);

    if (mine == NULL || key == NULL || json_object_set_new(mine, "k", json_string(kind)) < 0 ||
        json_object_set_new(mine, "n", json_string(name)) < 0)
        return -ENOMEM;
    int r = hf_json_format(mine, &text);
    return r < 0 ? r : put_text(board, key, hf_buf_view(&text));
}

int hf_ui_board_remove(struct hf_ui_board *board, const char *kind, const char *name)
{
    _cleanup_(hf_freep) char *key = key_of(kind, name);

    if (key == NULL)
        return -ENOMEM;
    if (hf_strmap_get(&board->rows, key) == NULL)
        return 0;
    return hf_ui_board_put(board, kind, name, json_pack("{s:b}", "gone", 1));
}

uint64_t hf_ui_board_version(const struct hf_ui_board *board)
{
    return board->version;
}

/* NULL: nothing. The changes are at the end, and few: so the search begins there. */
static struct hf_list *first_after(const struct hf_ui_board *board, uint64_t since)
{
    struct hf_list *found = NULL;

    for (struct hf_list *it = board->changed.prev; it != &board->changed; it = it->prev) {
        if (hf_container_of(it, struct shown, link)->version <= since)
            break;
        found = it;
    }
    return found;
}

int hf_ui_board_changes(const struct hf_ui_board *board, uint64_t since, struct hf_buf *out)
{
    _cleanup_(hf_buf_done) struct hf_buf rows = HF_BUF_INIT(HF_UI_MAX_ANSWER_BYTES + HF_UI_MAX_ROW_BYTES + 1);
    const struct hf_list *end = &board->changed;
    struct hf_list *it = first_after(board, since);
    uint64_t version = board->version;
    int r = 0;

    for (; it != NULL && rows.n < HF_UI_MAX_ANSWER_BYTES && r == 0; it = it->next != end ? it->next : NULL) {
        const struct shown *row = hf_container_of(it, struct shown, link);
        r = rows.n > 0 ? hf_buf_add_str(&rows, ",") : 0;
        if (r == 0)
            r = hf_buf_add(&rows, row->text, row->n);
        version = row->version;
    }
    if (r == 0)
        r = hf_buf_addf(out, "{\"version\":%llu,\"more\":%s,\"rows\":[", (unsigned long long)version,
                        it != NULL ? "true" : "false");
    if (r == 0)
        r = hf_buf_add(out, rows.p, rows.n);
    return r == 0 ? hf_buf_add_str(out, "]}\n") : r;
}
