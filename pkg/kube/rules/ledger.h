/* SPDX-License-Identifier: Apache-2.0 */
/* kube/rules/ledger.h - the objects of one kind that were reported to the subscriber, with their versions. Private to
 * pkg/kube. Pure.
 *
 * Only the ledger decides that an object is gone: after a DELETED event of a real API server, or by a complete list
 * that certainly comes from the API server and is not older than earlier answers. resourceVersions are numbers (0:
 * unknown); those that are not numbers are not compared. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* In the ledger of a node, and of a client that follows a fleet. The second half is for objects that the subscriber
 * keeps: a declined one that does not matter is remembered only in the first. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_FLEET_OBJECTS = 250000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* the subscriber knows already */
    HF_LEDGER_OLD,     /* older than the reported version: ignore it */
    HF_LEDGER_GHOST,   /* only the MetaServer still has it: ignore it */
    HF_LEDGER_UNSURE,  /* maybe from the MetaServer's store: a LIST from the cloud must tell */
};

struct hf_ledger {
    struct hf_strmap objects; /* name to struct ledger_entry */
    /* MetaServer: version of the last LIST from the cloud, at first of the resume; 0: none */
    uint64_t baseline;
    uint64_t highest; /* that the server sent, at first of the resume */
    size_t max_objects;
    bool ending;    /* in hf_ledger_end(): hf_ledger_decline() removes nothing */
    unsigned round; /* number of the last round; 0: none has begun */
};

void hf_ledger_init(struct hf_ledger *ledger, size_t max_objects);
void hf_ledger_done(struct hf_ledger *ledger);

/* The subscriber has it, in an unknown version. -E2BIG: too many objects. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* The subscriber has this version of a known object: it is reported once more, but no event of an older one, which a
 * watch that resumes at an earlier point replays. */
void hf_ledger_hold(struct hf_ledger *ledger, const char *name, uint64_t version);

/* As last reported; 0: unknown. */
uint64_t hf_ledger_version(const struct hf_ledger *ledger, const char *name);

/* The subscriber does not keep the object: the next list reports it once more, whatever its version. Unless it
 * `matters`, a ledger that is more than half full forgets it. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* An event of a real API server's watch. After -ENOMEM or -E2BIG (too many objects) the ledger is unchanged. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* The source has this version, which cannot be parsed: the round does not miss it. False: ignore it, the ledger has a
 * newer one. */
bool hf_ledger_unreadable(struct hf_ledger *ledger, const char *name, uint64_t version);

/* The same for a MetaServer. `live`: from the cloud just now, because there is contact, and the stream no longer
 * replays the store. */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round compares one complete list with the ledger: begin, an item for each object (UPSERT, NOTHING or OLD), end with
 * the version of the list. The end forgets, and passes to `gone`, the objects that the list lacks and that are not
 * newer; gone = NULL if the list may be wrong. A round without an end changes only the versions of what it reported. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* The server continues from lower versions, as after a restore: those above `version` are valid again. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);

/* Each object is reported once more, whatever its version: after a restore, this may be lower, or have other
 * content. */
void hf_ledger_renew(struct hf_ledger *ledger);
