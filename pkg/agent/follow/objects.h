/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a kind that select this node: each one's last good version, in effect until another comes or it is
 * deleted, and why a newer one was refused; the cache on disk has both.
 *
 * Managed fields, counters and more that the node does not need are dropped, and their changes do not count. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

/* A kind of object, with its decoder. */
struct hf_object_kind {
    const char *kind;         /* of good versions in the cache: "EdgeUpdate" */
    const char *refused_kind; /* of refused ones: "EdgeUpdateRefused" */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json;       /* last good one, condensed; NULL: none */
    void *decoded;      /* by the decoder; NULL with `json` */
    json_t *refused;    /* newest, condensed; NULL: good */
    char *refused_text; /* why; NULL: good */
    char *warned_text;  /* unknown fields of the last good one; NULL: none */
};

/* The bounds of one table, well above a node's needs. What exceeds them is refused; what is there stays. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000, /* names */
    /* selectors of others; beyond, each change of labels means a list */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* to struct hf_object */
    size_t bytes;             /* of all versions, as JSON text */

    struct hf_strmap no_room; /* names */
    bool no_room_more;        /* than `no_room` holds */
    size_t least_room;        /* bytes of the smallest version without room; SIZE_MAX: none */

    struct hf_strmap others; /* selectors, as JSON text */
    size_t others_bytes;
    /* some are missing, such as for lack of room */
    bool others_unknown;

    struct hf_issues *scratch;
};

/* How a version differs from the one before. */
enum hf_object_change {
    HF_OBJECT_SAME,    /* in no kept field */
    HF_OBJECT_GOOD,    /* new */
    HF_OBJECT_REFUSED, /* new */
    HF_OBJECT_OTHERS,  /* for other nodes, and not in the table before */
    HF_OBJECT_LEFT,    /* no longer for this node: dropped */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* `labels`: the node's; NULL: not received yet, so all objects are kept. -EBADMSG: no usable name. -E2BIG: it selects
 * this node, and there is no room; *ret_change is REFUSED if its name is new, else SAME. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Removes the object and its name without room; false: there was neither. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Drops what does not select these labels, each after `dropped`. Returns how many. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

/* An object for others may select these labels. */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Objects for other nodes may have been left out. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* An object that found no room may find room now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Before a complete list, which reports them again. Names without room stay until they fit or go. */
void hf_objects_forget_others(struct hf_objects *objects);

/* The table has the object, or its name without room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Writes into text[n] what a person can do for more room. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* The object selects these labels, or its selector is unreadable. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* NULL: the table does not have it. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* A copy without what the node does not need; NULL: no memory. */
json_t *hf_objects_condense(const json_t *json);
