/* agent/follow/objects.h - the objects of one kind that select this node. For each object, the table has the last good
 * version and, if the node refused a newer version, the reason.
 *
 * Of objects for other nodes, the table keeps only the distinct selectors. If one of these selectors matches after a
 * change of the node's labels, the agent lists everything again. Ten thousand objects for other nodes cost some
 * kilobytes, and do not count towards the bounds. An object that no longer matches after a change of labels stays until
 * hf_objects_trim() or until the source reports it again, because labels may be wrong for a while. An object with an
 * unreadable selector counts as an object for this node.
 *
 * If an object selects this node but finds no room, the table keeps its name, and the agent lists it again when there
 * is room.
 *
 * A refused version changes nothing that runs, because the last good version stays in effect. The status reports the
 * refusal until a good version arrives or the source deletes the object. The cache has both versions, so that a restart
 * loses nothing.
 *
 * The table condenses objects: it drops managed fields, counters in the status, and other fields that the node does not
 * need. If only such fields change, the object counts as unchanged, and the change costs neither memory nor a disk
 * write. Loop thread only. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

/* The decoder of a kind: hf_edgeupdate_decode() or hf_syncpolicy_decode() behind a common function type. */
struct hf_object_kind {
    const char *kind;         /* kind in the cache for good versions: "EdgeUpdate" */
    const char *refused_kind; /* kind in the cache for refused versions: "EdgeUpdateRefused" */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json;  /* last good version, condensed; NULL: no version was good */
    void *decoded; /* decoded form of `json` */
    json_t *refused;
    char *refused_text; /* reason for the refusal; NULL: the newest version is good */
    char *warned_text;  /* unknown fields of the last good version; NULL: none */
};

/* Bounds for one kind, well above the needs of one node. The node refuses an object beyond these bounds and keeps the
 * objects that it already has. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000,
    /* Bounds of the selectors of objects for other nodes. Beyond these bounds, every change of labels makes the agent
     * ask for a list. */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* struct hf_object */
    size_t bytes;             /* size of all kept versions as JSON text */

    struct hf_strmap no_room; /* names of objects refused for lack of room; no values */
    bool no_room_more;        /* more objects found no room than `no_room` can hold */
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

/* Takes in a version of an object. `labels` are the node's labels; if they are NULL (not received yet), the table keeps
 * every object. *ret_change reports the difference from the version before. -EBADMSG: the object has no usable name.
 * -E2BIG: the object selects this node, but there is no room, so the table keeps only the object's name; *ret_change is
 * then HF_OBJECT_REFUSED for a new name and HF_OBJECT_SAME otherwise. -ENOMEM. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* Forgets an object. Returns false if the table has neither the object nor its name. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Drops each object that does not select a node with these labels; calls `dropped` with the name of the object before
 * that. Returns the number of dropped objects. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

/* Returns true if an object that was left out as one for other nodes may select a node with these labels. */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Returns true if objects for other nodes exist. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* Returns true if an object that found no room may fit now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Forgets the selectors of objects for other nodes; call this before a list, which brings these objects again. The
 * table keeps the name of an object that found no room until the object fits or the source deletes it. */
void hf_objects_forget_others(struct hf_objects *objects);

/* Returns true if the table has the object, or the name of the object because the object found no room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Explains to a person, in text[n], the lack of room and the remedy. Returns text. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* Returns true if this object selects a node with these labels, or has an unreadable selector. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* Returns the object of this name, or NULL. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* Returns a condensed copy of an object. NULL: out of memory. */
json_t *hf_objects_condense(const json_t *json);
