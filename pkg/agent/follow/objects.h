/* SPDX-License-Identifier: Apache-2.0 */
/* agent/follow/objects.h - the objects of one kind that select this node. For each object, the table has the last good
 * version and, if the node refused a newer version, the reason.
 *
 * Of objects that select other nodes, the table keeps only the distinct selectors. If one of these selectors matches
 * after a change of the node's labels, the agent lists all objects again. So objects for other nodes take little
 * memory, however many they are, and do not count towards the bounds. After a change of labels, an object that no
 * longer selects this node stays in the table until hf_objects_trim() or until the source reports it again, because the
 * labels may be wrong for a while. An object with an unreadable selector counts as an object that selects this node.
 *
 * If an object selects this node but the table has no room for its newest version, the table keeps the object's name,
 * and the older version if it has one. When there is room, the agent lists all objects again.
 *
 * If the node refuses a version, the last good version stays in effect. The status reports the refusal until a good
 * version arrives or the source deletes the object. The cache on disk has both versions, so that a restart loses
 * nothing.
 *
 * The table condenses objects: it drops managed fields, counters in the status, and other fields that the node does not
 * need. If only such fields change, the object counts as unchanged and is not written to disk. Threads: loop thread
 * only. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

/* The names and the decoder of a kind. The decoder is hf_edgeupdate_decode() or hf_syncpolicy_decode(), called through
 * a common function type. */
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

/* Bounds of the table of one kind, which are well above the needs of one node. If another object would exceed these
 * bounds, the node refuses this object and keeps the objects that it already has. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000, /* number of names of objects without room */
    /* Bounds of the selectors of objects for other nodes. If there are more selectors, the agent asks for a list after
     * every change of labels. */
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
    /* true if `others` may lack selectors, for example because there was no room for them */
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

/* Adds a version of an object to the table. `labels` are the node's labels; if they are NULL (not received yet), the
 * table keeps every object. Sets *ret_change to the difference from the version before. Returns 0 or -ENOMEM. -EBADMSG:
 * the object has no usable name. -E2BIG: the object selects this node, but there is no room for this version. The table
 * then keeps the object's name, and the older version if it has one. In this case, *ret_change is HF_OBJECT_REFUSED if
 * this call has added the name to the list of objects without room, and HF_OBJECT_SAME otherwise. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Removes the object with this name, and removes the name from the names without room. Returns false if the table has
 * neither. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Drops each object that does not select a node with these labels. Before it drops an object, calls `dropped` with its
 * name. Returns the number of dropped objects. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

/* Returns true if an object that the table does not keep, because it selected other nodes, may select a node with these
 * labels. */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Returns true if the table may have left out objects for other nodes. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* Returns true if an object that found no room may find room now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Forgets the selectors of objects for other nodes. Call this function before a complete list, which reports these
 * objects again. Does not forget the name of an object that found no room; the table drops this name when the object
 * fits or the source deletes the object. */
void hf_objects_forget_others(struct hf_objects *objects);

/* Returns true if the table has the object with this name, or only the name because the object found no room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Writes to text[n] an explanation of the lack of room and the remedy, for a person. Returns `text`. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* Returns true if this object selects a node with these labels, or has an unreadable selector. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* Returns the object with this name, or NULL if the table does not have it. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* Returns a condensed copy of an object, or NULL if memory runs out. */
json_t *hf_objects_condense(const json_t *json);
