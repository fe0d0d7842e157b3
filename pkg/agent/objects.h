/* agent/objects.h - the objects of one kind that concern this node: the last good version of each, and what is wrong with a newer
 * one that cannot be used.
 *
 * An object whose nodeSelector does not match this node's labels is not kept: of all of those together only the different
 * selectors are remembered, so that it is known when labels change whether one of them would now match (then everything is listed
 * again). So ten thousand objects for other nodes cost a node some kilobytes, and none of its bounds. What was kept and is not
 * selected any more because labels changed stays until hf_objects_trim(): labels may be wrong for a while, and it gives way to what
 * needs room. An object whose selector cannot be read may be meant for anybody: it counts.
 *
 * What concerns this node and finds no room is remembered by name, and listed again when there is room.
 *
 * A refused version changes nothing that runs: the last good one stays in effect, the refusal is reported by name until a good
 * version or the object's end. Both are cached, so that a restart knows as much.
 *
 * Objects are kept condensed: what every node hears but no node acts on (managed fields, counters in status) is dropped, and a
 * change in that alone is no change: it costs neither memory nor a disk write. */
#pragma once

#include <stdbool.h>

#include "api/field/selector.h"
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

/* Of one kind, those that select this node: more, or larger, than any fleet needs on one node; what is beyond is refused, what is
 * known stays. And the selectors of the others, beyond which every change of labels asks for a list. */
enum {
    HF_OBJECTS_MAX = 1000,
    HF_OBJECTS_MAX_BYTES = 4 << 20,
    HF_OBJECTS_MAX_NO_ROOM = 1000,
    HF_OBJECTS_MAX_OTHERS = 2000,
    HF_OBJECTS_MAX_OTHERS_BYTES = 256 << 10,
};

struct hf_objects {
    const struct hf_object_kind *kind;
    struct hf_strmap by_name; /* struct hf_object */
    size_t bytes;             /* as JSON text */

    struct hf_strmap no_room; /* names of what concerns this node and is refused for that; no values */
    bool no_room_more;        /* some names did not fit */
    size_t least_room;        /* bytes of the smallest of them */

    struct hf_strmap others; /* selectors, as JSON text, of what is not kept; no values */
    size_t others_bytes;
    bool others_unknown; /* there are more than these */

    struct hf_issues *scratch;
};

enum hf_object_change {
    HF_OBJECT_SAME,
    HF_OBJECT_GOOD,
    HF_OBJECT_REFUSED,
    HF_OBJECT_OTHERS, /* it does not select this node, and was not kept before */
    HF_OBJECT_LEFT,   /* it does not select this node any more: dropped */
};

void hf_objects_init(struct hf_objects *objects, const struct hf_object_kind *kind);
void hf_objects_done(struct hf_objects *objects);

/* Take a version in. `labels`: the node's, NULL: not known, then everything is kept. *ret_change: what it is beside what was known.
 * -EBADMSG: it has no usable name; -E2BIG: it concerns this node and there is no room: nothing has changed but that its name is
 * remembered (*ret_change: SAME when it was already); -ENOMEM. */
HF_MUST_USE int hf_objects_take(struct hf_objects *objects, const json_t *json, const json_t *labels,
                                enum hf_object_change *ret_change);
/* Forget; false when it was not known, neither as an object nor as one without room. */
bool hf_objects_drop(struct hf_objects *objects, const char *name);
/* Drop what is kept and does not select a node with these labels; each is told to `dropped` before. Returns how many. */
size_t hf_objects_trim(struct hf_objects *objects, const json_t *labels, void (*dropped)(void *arg, const char *name),
                       void *arg);
/* Would one of what is not kept select a node with these labels, as far as is known? */
bool hf_objects_others_may_select(const struct hf_objects *objects, const json_t *labels);
/* Has something been left out that selects other nodes? */
bool hf_objects_has_others(const struct hf_objects *objects);
/* Is there room again for something that was refused for lack of it? */
bool hf_objects_has_room_again(const struct hf_objects *objects);
/* Everything that is not kept will be told again: forget what was known of it. Names without room stay, until they are told again
 * and there is room, or they are gone. */
void hf_objects_forget_others(struct hf_objects *objects);
/* Is it kept, or one without room? */
bool hf_objects_knows(const struct hf_objects *objects, const char *name);
/* Why there is none, and what to do, for a person. Returns text. */
const char *hf_objects_no_room_text(const struct hf_objects *objects, char *text, size_t n);
/* Does this object select a node with these labels? Also true when its selector cannot be read. */
bool hf_objects_selects(struct hf_objects *objects, const json_t *json, const json_t *labels);
const struct hf_object *hf_objects_get(const struct hf_objects *objects, const char *name);

/* The parts of an object that are kept. NULL on OOM. */
json_t *hf_object_condense(const json_t *json);
