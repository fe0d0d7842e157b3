/* kube/rules/ledger.h - the ledger of one kind: the objects reported to the subscriber, with their versions. It
 * computes the next reports from an event or a complete answer. Private to pkg/kube.
 *
 * The ledger alone decides that an object is gone: at the end of a round without doubts, or by a DELETED
 * event of a real API server. Versions are numbers here (0: unknown); where a server's resourceVersions are not
 * numbers, it concludes nothing from their order.
 *
 * Pure. Memory: hf_ledger_done() frees it. Errors: 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* The ledger remembers declined objects that do not matter only while it has fewer than HF_LEDGER_MAX_DECLINED
 * objects. Remembering them saves repeated reports to the subscriber and lets the ledger recognise old versions. The
 * remaining room is for objects that the subscriber keeps. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_MAX_DECLINED = 10000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* reported already, or gone already */
    HF_LEDGER_OLD,     /* older than the reported version: ignore it */
    HF_LEDGER_GHOST,   /* MetaServer's store still has an object that the cloud has deleted: ignore it */
    HF_LEDGER_UNSURE,  /* MetaServer: the event proves nothing: ask for a proven LIST */
};

struct hf_ledger {
    struct hf_strmap objects; /* name to struct ledger_entry */
    uint64_t baseline;        /* MetaServer: version of the latest proven LIST, 0 none */
    uint64_t highest;         /* highest version reported or sent in a bookmark */
    unsigned round;           /* number of the open round, or of the last one */
};

void hf_ledger_init(struct hf_ledger *ledger);
void hf_ledger_done(struct hf_ledger *ledger);

/* Records that the subscriber holds this object in an unknown version. -ENOMEM, -E2BIG. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* Records that the subscriber does not keep the object: the next round that has it reports it again, in any version. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* Takes an event of a real API server's watch; `deleted`: the event is DELETED, else ADDED or MODIFIED. *ret_change:
 * the report to make. -ENOMEM, -E2BIG (too many objects): the ledger is unchanged. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* Takes an event of a MetaServer's watch. `live`: it came from the cloud now (contact is proven, and the stream's
 * replay is over). */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round: begin, one call for every object that exists, end. An item's change is UPSERT, NOTHING or OLD (the
 * subscriber has a newer version). At the end, an object is gone that the ledger had before the round, that is not
 * newer than the answer (`version`) and that was not among the items: the ledger calls `gone` for it and forgets it.
 * With `gone` NULL (the answer is doubtful) none is gone. A round that never ends changes only the versions of the
 * objects that it reported. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* Call when the server's history begins anew, below the versions that it sent before (a restored backup): the ledger
 * then accepts the new, lower versions. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);
