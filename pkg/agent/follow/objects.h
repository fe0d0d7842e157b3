/* agent/follow/objects.h - the objects of one kind that select this node: the last good version of each, and the
 * reason to refuse a newer one.
 *
 * Of objects for other nodes, it keeps only the distinct selectors: when labels change, these tell whether one of
 * the objects would match now; then the agent lists everything again. Ten thousand objects for other nodes cost some
 * kilobytes, and do not count towards the bounds. An object that no longer matches after a change of labels stays
 * until hf_objects_trim(), because labels may be wrong for a while, or until another object needs the room. An
 * object with an unreadable selector counts as one for this node.
 *
 * An object that selects this node and finds no room is remembered by name, and listed again when there is room.
 *
 * A refused version changes nothing that runs: the last good one stays in effect. The status names the refusal until
 * a good version comes or the object goes. The cache has both versions, so that a restart loses nothing.
 *
 * The table condenses objects: it drops managed fields, counters in status and the like. A change in those alone
 * does not count as a change, and costs neither memory nor a disk write. Loop thread only. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

/* The decoder of a kind: hf_edgeupdate_decode() and hf_syncpolicy_decode() behind one type. */
struct hf_object_kind {
    const char *kind;         /* kind in the cache for good versions: "EdgeUpdate" */
    const char *refused_kind; /* kind in the cache for refused versions: "EdgeUpdateRefused" */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json;  /* last good version, condensed; NULL: there was none */
    void *decoded; /* of `json` */
    json_t *refused;
    char *refused_text; /* NULL: the newest version is good */
    char *warned_text;  /* unknown fields of the last good version; NULL: none */
};

/* Bounds for one kind: more, and larger, than a fleet needs on one node. The node refuses an object beyond them;
 * objects that it already has stay. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000,
    /* Selectors of objects for other nodes. Beyond these bounds, every change of labels asks for a list. */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* struct hf_object */
    size_t bytes;             /* as JSON text */

    struct hf_strmap no_room; /* names of objects refused for lack of room; no values */
    bool no_room_more;        /* `no_room` has no place for more names */
    size_t least_room;        /* size of the smallest object without room */

    struct hf_strmap others; /* selectors of other nodes' objects, as JSON text; no values */
    size_t others_bytes;
    bool others_unknown; /* more selectors exist than the table holds */

    struct hf_issues *scratch;
};

/* Results of hf_objects_take(). */
enum hf_object_change {
    HF_OBJECT_SAME,
    HF_OBJECT_GOOD,
    HF_OBJECT_REFUSED,
    HF_OBJECT_OTHERS, /* the object selects other nodes, as before */
    HF_OBJECT_LEFT,   /* the object no longer selects this node: dropped */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* Takes in a version of an object. `labels` are the node's; NULL: not received yet, and the table keeps every
 * object. *ret_change compares it with the version before. -EBADMSG: no usable name. -E2BIG: the object selects this
 * node, but there is no room; the table remembers only its name (*ret_change is SAME if it had it already). -ENOMEM. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Forgets an object. Returns false if the table has neither the object nor its name. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Drops each object that does not select a node with these labels, after a call of `dropped` with its name. Returns
 * their number. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

/* Returns true if one of the other nodes' objects may select a node with these labels. */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Returns true if objects for other nodes exist. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* Returns true if one of the objects without room would fit now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Forgets the selectors of other nodes' objects, because a list will bring them again. Names of objects without room
 * stay until the list brings the objects and there is room, or until the objects are deleted. */
void hf_objects_forget_others(struct hf_objects *objects);

/* Returns true if the table has the object, or its name for lack of room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Writes into text[n] why there is no room and what to do, for a person. Returns text. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* Returns true if this object selects a node with these labels, or has an unreadable selector. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* Returns the object of this name, or NULL. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* Returns a condensed copy of an object. NULL: out of memory. */
json_t *hf_objects_condense(const json_t *json);
