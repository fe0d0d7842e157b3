/* SPDX-License-Identifier: Apache-2.0 */
/* The table of one kind. hf_objects_take() condenses a version, and returns if nothing that counts has changed; else it
 * decides if the version selects this node, decodes it, and keeps or leaves it out.
 *
 * A version goes one of four ways. Good: it replaces the last good one and ends a refusal. Refused by the decoder: it
 * is kept beside the last good one; it cannot unselect this node either. For other nodes: only its selector is noted.
 * No room: only its name is noted. The decision about room counts what the new version replaces, so that an object can
 * always be replaced by a smaller one.
 *
 * `bytes` is the sum over all slots; each slot knows its parts, and account() alone changes both.
 *
 * For objects of other nodes the agent keeps distinct selectors alone, outside the bounds: if one matches changed
 * labels, it lists again. An object that no longer selects this node stays until hf_objects_trim() or its next
 * report. An unreadable selector selects this node. An object without room leaves its name, and an older version
 * stays; with room, the agent lists again. */
#include "agent/follow/objects.h"

#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent/diskq.h"
#include "api/edgeupdate.h"
#include "api/syncpolicy.h"
#include "base/format.h"

enum { MAX_REFUSED_TEXT = 512 };

static int decode_update(json_t *json, void **ret_decoded, struct hf_issues *issues)
{
    struct hf_edgeupdate *update = NULL;
    int r = hf_edgeupdate_decode(json, &update, issues);

    if (r == 0)
        *ret_decoded = update;
    return r;
}

static void free_update(void *decoded)
{
    hf_edgeupdate_free(decoded);
}

static int decode_policy(json_t *json, void **ret_decoded, struct hf_issues *issues)
{
    struct hf_syncpolicy *policy = NULL;
    int r = hf_syncpolicy_decode(json, &policy, issues);

    if (r == 0)
        *ret_decoded = policy;
    return r;
}

static void free_policy(void *decoded)
{
    hf_syncpolicy_free(decoded);
}

const struct hf_object_kind hf_object_kind_edgeupdate = {"EdgeUpdate", "EdgeUpdate" HF_DISKQ_REFUSED, decode_update,
                                                         free_update};
const struct hf_object_kind hf_object_kind_syncpolicy = {"SyncPolicy", "SyncPolicy" HF_DISKQ_REFUSED, decode_policy,
                                                         free_policy};

struct slot {
    struct hf_object object;
    struct hf_objects *table;
    size_t good_bytes, refused_bytes;
};

static void slot_free(void *value)
{
    struct slot *slot = value;

    if (slot == NULL)
        return;
    if (slot->object.decoded != NULL)
        slot->table->kind->free_decoded(slot->object.decoded);
    slot->table->bytes -= slot->good_bytes + slot->refused_bytes;
    json_decref(slot->object.json);
    json_decref(slot->object.refused);
    free(slot->object.refused_text);
    free(slot->object.warned_text);
    free(slot);
}

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind)
{
    *objects = (struct hf_objects){.kind = kind, .by_name = {.free_value = slot_free}, .least_room = SIZE_MAX};
}

void hf_objects_done(struct hf_objects *objects)
{
    hf_strmap_done(&objects->by_name);
    hf_strmap_done(&objects->no_room);
    hf_strmap_done(&objects->others);
    free(objects->scratch);
    objects->scratch = NULL;
}

const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name)
{
    struct slot *slot = hf_strmap_get(&objects->by_name, name);

    return slot == NULL ? NULL : &slot->object;
}

bool hf_objects_drop(struct hf_objects *objects, const char *name)
{
    bool waited = hf_strmap_remove(&objects->no_room, name) != 0;

    return hf_strmap_remove(&objects->by_name, name) != 0 || waited;
}

/* ---- condensing -------------------------------------------------------------------------------------------------- */

static int keep(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    return value == NULL ? 0 : json_object_set(to, key, value);
}

/* The one annotation that the agent acts on: it allows a removal (manifests/rules/plan.h). */
static int keep_annotation(json_t *meta, const json_t *old_meta)
{
    static const char key[] = "edge.codcompass.io/allow-prune";
    json_t *value = json_object_get(json_object_get(old_meta, "annotations"), key);

    return json_is_string(value) ? json_object_set_new(meta, "annotations", json_pack("{s:O}", key, value)) : 0;
}

json_t *hf_objects_condense(const json_t *json)
{
    static const char *const meta_keys[] = {"name", "uid", "generation", "resourceVersion"};
    _cleanup_(hf_json_freep) json_t *out = json_object(), *meta = json_object(), *status = json_object();
    const json_t *old_meta = json_object_get(json, "metadata"), *old_status = json_object_get(json, "status");
    int r = 0;

    if (out == NULL || meta == NULL || status == NULL)
        return NULL;
    for (size_t i = 0; i < HF_LEN(meta_keys); i++)
        r |= keep(meta, old_meta, meta_keys[i]);
    r |= keep_annotation(meta, old_meta);
    r |= keep(out, json, "apiVersion") | keep(out, json, "kind");
    r |= json_object_set(out, "metadata", meta) | keep(out, json, "spec");
    r |= keep(status, old_status, "admission");
    if (json_object_size(status) > 0)
        r |= json_object_set(out, "status", status);
    return r == 0 ? hf_steal(out) : NULL;
}

/* Ignores resourceVersion, which also moves with the dropped parts. */
static bool same_essence(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"apiVersion", "kind", "spec", "status"};
    static const char *const meta_keys[] = {"name", "uid", "generation", "annotations"};
    bool same = a != NULL && b != NULL;

    for (size_t i = 0; same && i < HF_LEN(keys); i++) {
        const json_t *x = json_object_get(a, keys[i]), *y = json_object_get(b, keys[i]);
        same = x == y || json_equal(x, y) != 0;
    }
    for (size_t i = 0; same && i < HF_LEN(meta_keys); i++) {
        const json_t *x = json_object_get(json_object_get(a, "metadata"), meta_keys[i]);
        const json_t *y = json_object_get(json_object_get(b, "metadata"), meta_keys[i]);
        same = x == y || json_equal(x, y) != 0;
    }
    return same;
}

/* ---- objects for other nodes ------------------------------------------------------------------------------------- */

bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels)
{
    _cleanup_(hf_selector_done) struct hf_selector selector = {NULL};
    json_t *value = json_object_get(json_object_get(json, "spec"), "nodeSelector");

    return objects->scratch == NULL || hf_selector_read(value, &selector, objects->scratch) < 0 ||
           hf_selector_matches(&selector, labels);
}

static void forget_selectors(struct hf_objects *objects)
{
    hf_strmap_done(&objects->others);
    objects->others_bytes = 0;
}

static void note_other(struct hf_objects *objects, const json_t *json)
{
    _cleanup_(hf_freep) char *text = json_dumps(json_object_get(json_object_get(json, "spec"), "nodeSelector"),
                                                JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    size_t n = text == NULL ? 0 : strlen(text);

    if (objects->others_unknown || (text != NULL && hf_strmap_get(&objects->others, text) != NULL))
        return;
    objects->others_bytes += n;
    if (text == NULL || objects->others.n >= HF_OBJECTS_MAX_OTHERS ||
        objects->others_bytes > HF_OBJECTS_MAX_OTHERS_BYTES || hf_strmap_put(&objects->others, text, objects) < 0) {
        forget_selectors(objects);
        objects->others_unknown = true;
    }
}

bool hf_objects_has_others(const struct hf_objects *objects)
{
    return objects->others_unknown || objects->others.n > 0;
}

bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels)
{
    bool may = objects->others_unknown;

    for (size_t i = 0; i < objects->others.n && !may; i++) {
        _cleanup_(hf_json_freep) json_t *json = json_loads(objects->others.entries[i].key, JSON_DECODE_ANY, NULL);
        struct hf_selector selector = {json};
        may = json == NULL || hf_selector_matches(&selector, labels);
    }
    return may;
}

void hf_objects_forget_others(struct hf_objects *objects)
{
    forget_selectors(objects);
    objects->others_unknown = objects->no_room_more = false;
    objects->least_room = SIZE_MAX;
}

bool hf_objects_has_room_again(const struct hf_objects *objects)
{
    return (objects->no_room.n > 0 || objects->no_room_more) && objects->by_name.n < HF_OBJECTS_MAX &&
           objects->least_room <= HF_OBJECTS_MAX_BYTES - HF_MIN(objects->bytes, (size_t)HF_OBJECTS_MAX_BYTES);
}

bool hf_objects_knows(const struct hf_objects *objects, const char *name)
{
    return hf_strmap_get(&objects->by_name, name) != NULL || hf_strmap_get(&objects->no_room, name) != NULL;
}

const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n)
{
    (void)snprintf(text, n,
                   "no room for %zu%s %s this node: it keeps at most %d, or %d MiB; delete some, or narrow their "
                   "nodeSelector",
                   objects->no_room.n, objects->no_room_more ? " or more" : "",
                   hf_noun(objects->no_room.n, "object that selects", "objects that select"), HF_OBJECTS_MAX,
                   HF_OBJECTS_MAX_BYTES >> 20);
    return text;
}

size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg)
{
    size_t n = 0;

    for (size_t i = objects->by_name.n; i > 0; i--) {
        const struct hf_strmap_entry *entry = &objects->by_name.entries[i - 1];
        const struct hf_object *object = entry->value;
        if ((object->json != NULL && hf_objects_selects(objects, object->json, labels)) ||
            (object->refused != NULL && hf_objects_selects(objects, object->refused, labels)))
            continue;
        note_other(objects, object->refused != NULL ? object->refused : object->json);
        dropped(arg, entry->key);
        (void)hf_strmap_remove(&objects->by_name, entry->key);
        n++;
    }
    return n;
}

/* ---- taking in a version ----------------------------------------------------------------------------------------- */

static int slot_for(struct hf_objects *objects, const char *name, struct slot **ret_slot)
{
    struct slot *slot = hf_strmap_get(&objects->by_name, name);

    if (slot == NULL) {
        slot = calloc(1, sizeof(*slot));
        if (slot == NULL)
            return -ENOMEM;
        slot->table = objects;
        if (hf_strmap_put(&objects->by_name, name, slot) < 0) {
            free(slot);
            return -ENOMEM;
        }
    }
    *ret_slot = slot;
    return 0;
}

static void account(struct slot *slot, size_t *part, size_t bytes)
{
    assert(slot->table->bytes >= *part);
    slot->table->bytes = slot->table->bytes - *part + bytes;
    *part = bytes;
}

static void forget_refusal(struct slot *slot)
{
    struct hf_object *object = &slot->object;

    json_decref(object->refused);
    free(object->refused_text);
    object->refused = NULL;
    object->refused_text = NULL;
    account(slot, &slot->refused_bytes, 0);
}

static int take_refused(struct slot *slot, json_t *fresh, size_t bytes, const struct hf_issues *issues)
{
    _cleanup_(hf_buf_done) struct hf_buf text = HF_BUF_INIT(MAX_REFUSED_TEXT);

    hf_issues_format(issues, &text);
    char *owned = hf_buf_take(&text);
    if (owned == NULL)
        return -ENOMEM;
    forget_refusal(slot);
    slot->object.refused = json_incref(fresh);
    slot->object.refused_text = owned;
    account(slot, &slot->refused_bytes, bytes);
    return 0;
}

/* Returns the first warning, for the log. NULL: there is none. */
static char *warnings_of(const struct hf_issues *issues)
{
    if (issues->n_warnings == 0)
        return NULL;
    return hf_asprintf("%s: %s%s", issues->warnings[0].path, issues->warnings[0].text,
                       issues->n_warnings > 1 ? ", and more" : "");
}

static void take_good(struct slot *slot, json_t *fresh, size_t bytes, void *decoded, const struct hf_issues *issues)
{
    struct hf_object *object = &slot->object;

    free(object->warned_text);
    object->warned_text = warnings_of(issues);

    forget_refusal(slot);
    if (object->decoded != NULL)
        slot->table->kind->free_decoded(object->decoded);
    json_decref(object->json);
    object->decoded = decoded;
    object->json = json_incref(fresh);
    account(slot, &slot->good_bytes, bytes);
}

static bool is_known(const struct hf_object *object, const json_t *fresh)
{
    return object != NULL && same_essence(object->refused_text == NULL ? object->json : object->refused, fresh);
}

/* Returns true if there is room for this version in place of the one that it replaces. */
static bool fits(const struct hf_objects *objects, const char *name, size_t bytes, bool good)
{
    const struct slot *slot = hf_strmap_get(&objects->by_name, name);
    size_t replaced = slot == NULL ? 0 : slot->refused_bytes + (good ? slot->good_bytes : 0);

    return (slot != NULL || objects->by_name.n < HF_OBJECTS_MAX) &&
           objects->bytes - replaced + bytes <= HF_OBJECTS_MAX_BYTES;
}

static void note_no_room(struct hf_objects *objects, const char *name, size_t bytes, enum hf_object_change *ret_change)
{
    size_t before = objects->no_room.n;

    objects->least_room = HF_MIN(objects->least_room, bytes);
    if (before >= HF_OBJECTS_MAX_NO_ROOM || hf_strmap_put(&objects->no_room, name, objects) < 0)
        objects->no_room_more = true;
    *ret_change = objects->no_room.n > before ? HF_OBJECT_REFUSED : HF_OBJECT_SAME;
}

/* Keeps a version that selects this node; `decoded` is NULL for a refused one. */
static int keep_version(struct hf_objects *objects, const char *name, json_t *fresh, void *decoded,
                        enum hf_object_change *ret_change)
{
    size_t bytes = hf_json_format_size(fresh);
    struct slot *slot;

    if (!fits(objects, name, bytes, decoded != NULL)) {
        *ret_change = HF_OBJECT_SAME;
        note_no_room(objects, name, bytes, ret_change);
        return -E2BIG;
    }
    int r = slot_for(objects, name, &slot);
    if (r == 0 && decoded == NULL)
        r = take_refused(slot, fresh, bytes, objects->scratch);
    if (r < 0)
        return r;
    if (decoded != NULL)
        take_good(slot, fresh, bytes, decoded, objects->scratch);
    (void)hf_strmap_remove(&objects->no_room, name);
    *ret_change = decoded == NULL ? HF_OBJECT_REFUSED : HF_OBJECT_GOOD;
    return 0;
}

/* Drops a version that does not select this node. */
static void leave_out(struct hf_objects *objects, const char *name, const json_t *fresh,
                      enum hf_object_change *ret_change)
{
    note_other(objects, fresh);
    *ret_change = hf_strmap_get(&objects->by_name, name) != NULL ? HF_OBJECT_LEFT : HF_OBJECT_OTHERS;
    (void)hf_objects_drop(objects, name);
}

static int take_version(struct hf_objects *objects, const char *name, json_t *fresh, const json_t *labels,
                        enum hf_object_change *ret_change)
{
    const struct hf_object *held = hf_objects_get(objects, name);
    bool ours = labels == NULL || hf_objects_selects(objects, fresh, labels);
    void *decoded = NULL;

    if (!ours && held == NULL) { /* the nodes that it selects check the other fields */
        leave_out(objects, name, fresh, ret_change);
        return 0;
    }
    int r = objects->kind->decode(fresh, &decoded, objects->scratch);
    if (r < 0 && r != -EBADMSG)
        return r;
    if (!ours && (decoded != NULL || held->json == NULL)) {
        leave_out(objects, name, fresh, ret_change);
        r = 0;
    } else { /* a refused version cannot unselect this node either: the last good one stays in effect */
        r = keep_version(objects, name, fresh, decoded, ret_change);
        if (r == 0)
            return 0;
    }
    if (decoded != NULL)
        objects->kind->free_decoded(decoded);
    return r;
}

int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                    enum hf_object_change *ret_change)
{
    _cleanup_(hf_json_freep) json_t *fresh = hf_objects_condense(json);
    const char *name = hf_json_str(json, "metadata.name");

    if (name == NULL || name[0] == '\0' || strlen(name) > HF_API_MAX_NAME)
        return -EBADMSG;
    if (objects->scratch == NULL)
        objects->scratch = calloc(1, sizeof(*objects->scratch));
    if (objects->scratch == NULL || fresh == NULL)
        return -ENOMEM;
    if (!is_known(hf_objects_get(objects, name), fresh))
        return take_version(objects, name, fresh, labels, ret_change);
    (void)hf_strmap_remove(&objects->no_room, name); /* the source has withdrawn the version that was too large */
    *ret_change = HF_OBJECT_SAME;
    return 0;
}
