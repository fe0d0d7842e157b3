/* SPDX-License-Identifier: Apache-2.0 */
/* The objects of a kind that select this node, in memory and in the cache on disk: each one's last good version, in
 * effect until another comes or it is deleted, and why a newer one was refused.
 *
 * Condensed: only the fields that a node needs. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
#include "base/strmap.h"

struct hf_object_kind {
    const char *kind;         /* in the cache: "EdgeUpdate" */
    const char *refused_kind; /* "EdgeUpdateRefused" */
    int (*decode)(json_t *json, void **ret_decoded, struct hf_issues *issues);
    void (*free_decoded)(void *decoded);
};
extern const struct hf_object_kind hf_object_kind_edgeupdate, hf_object_kind_syncpolicy;

struct hf_object {
    json_t *json;       /* last good one; NULL: none */
    void *decoded;      /* NULL with `json` */
    json_t *refused;    /* newest; NULL: good */
    char *refused_text; /* NULL: good */
    char *warned_text;  /* unknown fields of `json`; or NULL */
};

/* The bounds of one table, well above a node's needs. What exceeds them is refused; what is there stays. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000, /* names */
    /* others' selectors; beyond, each change of labels needs a list */
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* to struct hf_object */
    size_t bytes;             /* as JSON text */

    struct hf_strmap no_room; /* names */
    bool no_room_more;
    size_t least_room; /* bytes of the smallest object without room; SIZE_MAX: none */

    struct hf_strmap others; /* selectors, as JSON text */
    size_t others_bytes;
    /* `others` lacks some */
    bool others_unknown;

    struct hf_issues *scratch;
};

enum hf_object_change {
    HF_OBJECT_SAME,    /* in all kept fields */
    HF_OBJECT_GOOD,    /* new */
    HF_OBJECT_REFUSED, /* new */
    HF_OBJECT_OTHERS,  /* for other nodes, new */
    HF_OBJECT_LEFT,    /* no longer for this node */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* `labels`: the node's; NULL: unknown, all are kept. -EBADMSG: no usable name. -E2BIG: it selects this node, and has no
 * room; *ret_change is REFUSED if its name is new, else SAME. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);

/* False: there was neither the object, nor its name without room. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);

/* Calls dropped() for each object that does not select `labels`, and removes it. Returns how many. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);

bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);

/* Objects for other nodes may have been left out. */
bool hf_objects_has_others(const struct hf_objects *objects);

/* An object that found no room may find room now. */
bool hf_objects_has_room_again(const struct hf_objects *objects);

/* Before a complete list. Names without room stay until they fit or go. */
void hf_objects_forget_others(struct hf_objects *objects);

/* The table has the object, or its name without room. */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);

/* Says how a person makes room for more objects. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);

/* True also if its selector is unreadable. */
bool hf_objects_selects(const struct hf_objects *objects, const json_t *json, const json_t *labels);

/* NULL: none. */
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

json_t *hf_objects_condense(const json_t *json);
