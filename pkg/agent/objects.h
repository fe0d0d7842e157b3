/* agent/objects.h - the objects of one kind that this node knows: the last good version of each, and what is wrong with a newer
 * one that cannot be used.
 *
 * A refused version changes nothing that runs: the last good one stays in effect, the refusal is reported by name until a good
 * version or the object's end. Both are cached, so that a restart knows as much.
 *
 * Objects are kept condensed: what every node hears but no node acts on (managed fields, counters in status) is dropped, and a
 * change in that alone is no change: it costs neither memory nor a disk write. */
#pragma once

#include <stdbool.h>

#include "api/meta.h"
#include "base/strmap.h"

/* How a kind is decoded: hf_edgeupdate_decode() and hf_syncpolicy_decode() behind one type. */
struct hf_object_kind {
    const char *kind;         /* "EdgeUpdate": also where good versions are cached */
    const char *refused_kind; /* "EdgeUpdateRefused": where refused ones are */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_kind_edgeupdate, hf_kind_syncpolicy;

struct hf_object {
    json_t *json;  /* last good version, condensed; NULL: there never was one */
    void *decoded; /* of it */
    json_t *refused;
    char *refused_text; /* NULL: the newest version is good */
    char *warned_text;  /* what this program does not know in the last good version; NULL nothing */
};

/* Of one kind: more, or larger, than any fleet needs on one node; what is beyond is refused, what is known stays. */
enum { HF_OBJECTS_MAX = 1000, HF_OBJECTS_MAX_BYTES = 4 << 20 };

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* struct hf_object */
    size_t bytes;             /* as JSON text */
};

enum hf_object_change { HF_OBJECT_SAME, HF_OBJECT_GOOD, HF_OBJECT_REFUSED };

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* Take a version in. *ret_change: what it is beside what was known. -EBADMSG: it has no usable name; -E2BIG: beyond a limit,
 * nothing has changed; -ENOMEM. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, enum hf_object_change *ret_change);
/* Forget; false when it was not known. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* The parts of an object that are kept. NULL on OOM. */
json_t *hf_object_condense(const json_t *json);
