#include "agent/objects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/edgeupdate.h"
#include "api/syncpolicy.h"

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

const struct hf_object_kind hf_kind_edgeupdate = {"EdgeUpdate", "EdgeUpdateRefused", decode_update, free_update};
const struct hf_object_kind hf_kind_syncpolicy = {"SyncPolicy", "SyncPolicyRefused", decode_policy, free_policy};

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
    *objects = (struct hf_objects){.kind = kind, .by_name = {.free_value = slot_free}};
}

void hf_objects_done(struct hf_objects *objects)
{
    hf_strmap_done(&objects->by_name);
}

const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name)
{
    struct slot *slot = hf_strmap_get(&objects->by_name, name);

    return slot == NULL ? NULL : &slot->object;
}

bool hf_objects_drop(struct hf_objects *objects, const char *name)
{
    return hf_strmap_remove(&objects->by_name, name) != 0;
}

/* ---- condensing --------------------------------------------------------------------------------------------------- */

static int keep(json_t *to, const json_t *from, const char *key)
{
    json_t *value = json_object_get(from, key);

    return value == NULL ? 0 : json_object_set(to, key, value);
}

json_t *hf_object_condense(const json_t *json)
{
    static const char *const meta_keys[] = {"name", "uid", "generation", "resourceVersion"};
    _cleanup_(hf_json_freep) json_t *out = json_object(), *meta = json_object(), *status = json_object();
    const json_t *old_meta = json_object_get(json, "metadata"), *old_status = json_object_get(json, "status");
    int r = 0;

    if (out == NULL || meta == NULL || status == NULL)
        return NULL;
    for (size_t i = 0; i < HF_LEN(meta_keys); i++)
        r |= keep(meta, old_meta, meta_keys[i]);
    r |= keep(out, json, "apiVersion") | keep(out, json, "kind");
    r |= json_object_set(out, "metadata", meta) | keep(out, json, "spec");
    r |= keep(status, old_status, "admission");
    if (json_object_size(status) > 0)
        r |= json_object_set(out, "status", status);
    return r == 0 ? hf_steal(out) : NULL;
}

/* Equal in everything but the version number, which moves with what was dropped too. */
static bool same_essence(const json_t *a, const json_t *b)
{
    static const char *const keys[] = {"apiVersion", "kind", "spec", "status"};
    static const char *const meta_keys[] = {"name", "uid", "generation"};
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

/* ---- taking in ---------------------------------------------------------------------------------------------------- */

static int slot_for(struct hf_objects *objects, const char *name, struct slot **ret_slot)
{
    struct slot *slot = hf_strmap_get(&objects->by_name, name);

    if (slot == NULL) {
        if (objects->by_name.n >= HF_OBJECTS_MAX)
            return -E2BIG;
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

/* The first of the warnings, and how many there are: they are for a log. */
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

int hf_objects_take(struct hf_objects *objects, const json_t *json, enum hf_object_change *ret_change)
{
    _cleanup_(hf_freep) struct hf_issues *issues = calloc(1, sizeof(*issues));
    _cleanup_(hf_json_freep) json_t *fresh = hf_object_condense(json);
    const char *name = hf_json_str(json, "metadata.name");
    struct slot *slot;
    void *decoded = NULL;

    if (name == NULL || name[0] == '\0' || strlen(name) > HF_API_MAX_NAME)
        return -EBADMSG;
    if (issues == NULL || fresh == NULL)
        return -ENOMEM;
    if (is_known(hf_objects_get(objects, name), fresh)) {
        *ret_change = HF_OBJECT_SAME;
        return 0;
    }
    size_t bytes = json_dumpb(fresh, NULL, 0, JSON_COMPACT);
    if (objects->bytes + bytes > HF_OBJECTS_MAX_BYTES)
        return -E2BIG;
    int r = slot_for(objects, name, &slot);
    if (r == 0)
        r = objects->kind->decode(fresh, &decoded, issues);
    if (r == -ENOMEM || r == -E2BIG)
        return r;
    *ret_change = r < 0 ? HF_OBJECT_REFUSED : HF_OBJECT_GOOD;
    if (r < 0)
        return take_refused(slot, fresh, bytes, issues);
    take_good(slot, fresh, bytes, decoded, issues);
    return 0;
}
