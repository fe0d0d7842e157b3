/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/objects.h - the objects of one kind that select this node: the last good version of each, and the reason
 * if the node refused a newer one. The last good version stays in effect until a good version arrives or the object is
 * deleted; the cache on disk has both, so that a restart loses nothing.
 *
 * Of objects for other nodes, the table keeps only the distinct selectors: if one of them matches after a change of
 * labels, the agent lists again. So they take little memory, and do not count towards the bounds. An object that no
 * longer selects this node stays until hf_objects_trim() or its next report, because labels may be wrong for a while.
 * An unreadable selector selects this node. Of an object without room the table keeps the name, and an older version;
 * when there is room, the agent lists again.
 *
 * Objects are condensed: managed fields, counters in the status and others that the node does not need are dropped, and
 * their changes do not count. Threads: loop thread only. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

/* The names of a kind, and its decoder behind a common type. */
struct hf_object_kind {
    const char *kind;         /* kind under which the cache keeps good versions, such as "EdgeUpdate" */
    const char *refused_kind; /* kind under which the cache keeps refused versions, such as "EdgeUpdateRefused" */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json;       /* last good version, condensed; NULL if no version was good */
    void *decoded;      /* `json` in the form that the kind's decoder returns; NULL if `json` is NULL */
    json_t *refused;    /* newest version, condensed, if the node refuses it; otherwise NULL */
    char *refused_text; /* reason why the node refuses the newest version; NULL if that version is good */
    char *warned_text;  /* warning about unknown fields of the last good version; NULL if it has none */
};

/* Bounds of one table, well above the needs of a node. What exceeds them is refused; what is there stays. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000, /* number of names of objects without room */
    /* Bounds of the selectors of other objects; beyond, the agent lists after every change of labels. */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* maps the name of each object to its struct hf_object */
    size_t bytes;             /* size in bytes of all versions in the table, as JSON text */

    struct hf_strmap no_room; /* set of the names of objects that the node refused for lack of room */
    bool no_room_more;        /* true if there are more objects without room than `no_room` can hold */
    size_t least_room;        /* size in bytes of the smallest version that found no room; SIZE_MAX if there is none */

    struct hf_strmap others; /* set of the selectors of objects for other nodes, as JSON text */
    size_t others_bytes;
    /* some are missing, for example for lack of room */
    bool others_unknown;

    struct hf_issues *scratch;
};

/* The difference between a version of an object and the version before it. */
enum hf_object_change {
    HF_OBJECT_SAME,    /* no field that the table keeps has changed */
    HF_OBJECT_GOOD,    /* the version is new and good */
    HF_OBJECT_REFUSED, /* the version is new, and the node refuses it */
    HF_OBJECT_OTHERS,  /* the object selects other nodes, and was not in the table before */
    HF_OBJECT_LEFT,    /* the object no longer selects this node, and the table has dropped it */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* Takes a version of an object. `labels` are the node's; NULL (not received yet): every object is kept. -EBADMSG: it
 * has no usable name. -E2BIG: it selects this node, and there is no room; *ret_change is REFUSED if the table has just
 * noted its name, else SAME. -ENOMEM. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Removes the object and its name without room; false: there was neither. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Drops each object that does not select these labels, after `dropped` was called for it. Returns their number. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

/* True if an object for other nodes may select these labels. */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* True if objects for other nodes may have been left out. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* True if an object that found no room may find room now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Before a complete list, which reports objects for other nodes again. Names without room stay until they fit or go. */
void hf_objects_forget_others(struct hf_objects *objects);

/* True if the table has the object, or its name for lack of room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Writes into text[n] what a person can do about the lack of room. Returns `text`. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* True if the object selects these labels, or its selector is unreadable. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* NULL if the table does not have it. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* A condensed copy; NULL: out of memory. */
json_t *hf_objects_condense(const json_t *json);
