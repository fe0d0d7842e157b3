/* SPDX-License-Identifier: Apache-2.0 */
#include "manifests/state/inventory.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"
#include "base/buf.h"
#include "base/encoding/hex.h"
#include "codec/state/sealed_file.h"

enum { HF_INVENTORY_MAX_EXTRA = 160 }; /* of a line, without its path */

#define KIND "manifest-inventory"

enum { VERSION = 1 };

void hf_inventory_done(struct hf_inventory *inventory)
{
    for (size_t i = 0; i < inventory->n; i++)
        free(inventory->items[i].path);
    free(inventory->items);
    *inventory = (struct hf_inventory){.items = NULL};
}

/* The place of the path: where it is, or where it belongs. */
static size_t place_of(const struct hf_inventory *inventory, const char *path, bool *ret_found)
{
    size_t at = hf_array_lower_bound(i, inventory->n, strcmp(inventory->items[i].path, path) < 0);

    *ret_found = at < inventory->n && strcmp(inventory->items[at].path, path) == 0;
    return at;
}

struct hf_inventory_item *hf_inventory_find(const struct hf_inventory *inventory, const char *path)
{
    bool found;
    size_t at = place_of(inventory, path, &found);

    return found ? &inventory->items[at] : NULL;
}

int hf_inventory_put(struct hf_inventory *inventory, const struct hf_inventory_item *item)
{
    bool found;
    size_t at = place_of(inventory, item->path, &found);
    int r = found ? 0 : hf_array_grow(inventory->items, inventory->n, inventory->cap, HF_INVENTORY_MAX_ITEMS);
    char *path = found ? inventory->items[at].path : strdup(item->path);

    if (r < 0 || path == NULL) {
        if (!found)
            free(path);
        return r < 0 ? r : -ENOMEM;
    }
    if (!found) {
        memmove(&inventory->items[at + 1], &inventory->items[at], (inventory->n - at) * sizeof(*item));
        inventory->n++;
    }
    inventory->items[at] = *item;
    inventory->items[at].path = path;
    return 0;
}

bool hf_inventory_has_room(const struct hf_inventory *inventory, size_t more, size_t path_bytes)
{
    size_t bytes = path_bytes;

    for (size_t i = 0; i < inventory->n; i++)
        bytes += strlen(inventory->items[i].path);
    return more <= HF_INVENTORY_MAX_ITEMS - inventory->n &&
           bytes + (inventory->n + more) * HF_INVENTORY_MAX_EXTRA <= HF_INVENTORY_MAX_BYTES / 2;
}

size_t hf_inventory_files(const struct hf_inventory *inventory)
{
    size_t n = 0;

    for (size_t i = 0; i < inventory->n; i++)
        n += inventory->items[i].folder ? 0 : 1;
    return n;
}

/* ---- the file ---------------------------------------------------------------------------------------------------- */

static int add_line(struct hf_buf *out, const struct hf_inventory_item *item)
{
    char hex[HF_SHA256_HEX];

    if (item->folder)
        return hf_buf_addf(out, "d %s\n", item->path);
    if (item->secret)
        return hf_buf_addf(out, "s %04o %u %u %s\n", item->mode, (unsigned)item->uid, (unsigned)item->gid, item->path);
    (void)hf_hex_encode(item->sha256, sizeof(item->sha256), hex);
    return hf_buf_addf(out, "f %04o %u %u %" PRIu64 " %s %s\n", item->mode, (unsigned)item->uid, (unsigned)item->gid,
                       item->size, hex, item->path);
}

int hf_inventory_save(const struct hf_fs_ops *fs, const char *folder, const char *name,
                      const struct hf_inventory *inventory, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_INVENTORY_MAX_BYTES);
    size_t body;
    int r = hf_seal_begin(KIND, VERSION, &text, &body);

    if (r == 0)
        r = hf_buf_addf(&text, "pending %d\n", inventory->pending ? 1 : 0);
    for (size_t i = 0; r == 0 && i < inventory->n; i++)
        r = add_line(&text, &inventory->items[i]);
    if (r < 0)
        return hf_err_sys(err, r, "format the inventory");
    hf_seal_end(&text, body, NULL);
    return hf_sealed_file_save(fs, folder, name, hf_buf_view(&text), err);
}

int hf_inventory_replace(const struct hf_fs_ops *fs, const char *folder, const char *name, struct hf_inventory *now,
                         struct hf_inventory *next, struct hf_err *err)
{
    int r = hf_inventory_save(fs, folder, name, next, err);

    if (r < 0)
        return r;
    hf_inventory_done(now);
    *now = *next;
    *next = (struct hf_inventory){.items = NULL};
    return 0;
}

static bool take_number(struct hf_view *line, unsigned base, uint64_t max, uint64_t *ret)
{
    struct hf_view word;
    char text[24], *end;

    if (!hf_view_split(line, ' ', &word) || word.n == 0 || word.n >= sizeof(text))
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)word.n, word.p);
    if (text[strspn(text, base == 8 ? "01234567" : "0123456789")] != '\0')
        return false;
    *ret = strtoull(text, &end, (int)base);
    return *ret <= max;
}

static bool take_attributes(struct hf_view *line, struct hf_inventory_item *item)
{
    uint64_t mode, uid, gid;

    if (!take_number(line, 8, 07777, &mode) || !take_number(line, 10, UINT32_MAX, &uid) ||
        !take_number(line, 10, UINT32_MAX, &gid))
        return false;
    item->mode = (uint32_t)mode;
    item->uid = (uid_t)uid;
    item->gid = (gid_t)gid;
    return true;
}

static bool take_file(struct hf_view *line, struct hf_inventory_item *item)
{
    char text[HF_SHA256_HEX];
    struct hf_view hex;

    if (!take_attributes(line, item))
        return false;
    if (item->secret)
        return true;
    if (!take_number(line, 10, UINT64_MAX, &item->size) || !hf_view_split(line, ' ', &hex) ||
        hex.n != HF_SHA256_HEX - 1)
        return false;
    (void)snprintf(text, sizeof(text), "%.*s", (int)hex.n, hex.p);
    return hf_hex_decode(text, item->sha256, sizeof(item->sha256)) == 0;
}

static int take_line(struct hf_inventory *inventory, struct hf_view line)
{
    struct hf_inventory_item item = {.path = NULL};
    struct hf_view kind;

    if (!hf_view_split(&line, ' ', &kind))
        return -EBADMSG;
    item.folder = hf_view_eq(kind, "d");
    item.secret = item.unread = hf_view_eq(kind, "s");
    if (!item.folder && ((!item.secret && !hf_view_eq(kind, "f")) || !take_file(&line, &item)))
        return -EBADMSG;
    if (line.n < 2 || line.p[0] != '/' || memchr(line.p, '\0', line.n) != NULL)
        return -EBADMSG;
    item.path = hf_view_dup(line);
    if (item.path == NULL)
        return -ENOMEM;
    int r = hf_inventory_put(inventory, &item);
    free(item.path);
    return r;
}

int hf_inventory_load(const struct hf_fs_ops *fs, const char *folder, const char *name,
                      struct hf_inventory *ret_inventory, struct hf_err *err)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(HF_INVENTORY_MAX_BYTES);
    struct hf_inventory inventory = {.items = NULL};
    struct hf_view body, line;
    char pending[4];
    int r = hf_sealed_file_load(fs, folder, name, KIND, VERSION, &text, &body, err);

    if (r < 0)
        return r;
    if (!hf_seal_take(&body, "pending", pending, sizeof(pending)))
        r = -EBADMSG;
    inventory.pending = r == 0 && pending[0] == '1';
    while (r == 0 && body.n > 0 && hf_view_split(&body, '\n', &line))
        r = line.n > 0 ? take_line(&inventory, line) : 0;
    if (r < 0) {
        hf_inventory_done(&inventory);
        return r == -EBADMSG ? hf_sealed_file_set_aside(fs, folder, name, err)
                             : hf_err_sys(err, r, "read the inventory '%.200s'", folder);
    }
    *ret_inventory = inventory;
    return 0;
}
