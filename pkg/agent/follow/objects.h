/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of one kind that select this node, in memory and in the cache on disk. The last good version of each
 * stays in effect until another good one comes, or the object is deleted or no longer selects this node. If a newer
 * version is malformed, the table keeps the reason.
 *
 * Objects are condensed. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

struct hf_object_kind {
    const char *kind;
    const char *refused_kind;
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json; /* last good version; NULL: none */
    void *decoded;
    json_t *refused; /* newest version, if refused */
    char *refused_text;
    char *warned_text; /* unknown fields in `json`, or NULL */
};

/* Bounds of one table. An object that exceeds them is refused; older ones stay. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000,
    /* selectors of objects for other nodes; if there are more, each change of labels needs a list */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name;
    size_t bytes; /* of all objects, as JSON text */

    struct hf_strmap no_room; /* names of objects without room */
    bool no_room_more;
    size_t least_room; /* bytes of the smallest such object since the last list began; SIZE_MAX: none */

    struct hf_strmap others; /* selectors of objects for other nodes, as JSON text */
    size_t others_bytes;
    bool others_unknown;

    struct hf_issues *scratch;
};

enum hf_object_change {
    HF_OBJECT_SAME, /* nothing new (resourceVersion apart) */
    HF_OBJECT_GOOD,
    HF_OBJECT_REFUSED,
    HF_OBJECT_OTHERS, /* a version for other nodes */
    HF_OBJECT_LEFT,   /* it no longer selects this node */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* Puts a version of an object into the table. `labels`: the node's; NULL: unknown, so all objects are kept. -EBADMSG:
 * no usable name. -E2BIG: no room; *ret_change is REFUSED if its name is new in `no_room`, else SAME. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Removes an object, or its name without room. Returns whether the table had either. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Removes each object that does not select `labels`, after calling dropped(). Returns how many. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Whether objects for other nodes may have been left out. */
bool hf_objects_has_others(const struct hf_objects *objects);

bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Forgets the selectors of objects for other nodes; call it before a complete list. A name without room stays until its
 * object fits or is gone. */
void hf_objects_forget_others(struct hf_objects *objects);

/* Whether the table has the object, or its name without room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* Whether the object selects `labels`. True also if its selector is unreadable. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

json_t *hf_objects_condense(const json_t *json);
