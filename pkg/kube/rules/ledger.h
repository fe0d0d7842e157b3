/* kube/rules/ledger.h - the ledger of one kind: the objects reported to the subscriber, with their versions. It
 * computes the next reports from an event or a complete answer. Private to pkg/kube.
 *
 * Only the ledger decides that an object is gone. An object is gone at the end of a round whose answer is certainly the
 * API server's and not older than earlier answers, or after a DELETED event of a real API server. Versions are numbers
 * here (0 means unknown). If a server's resourceVersions are not numbers, the ledger does not compare them.
 *
 * Pure. Memory: hf_ledger_done() frees it. Errors: 0 or -errno. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* The ledger remembers declined objects that do not matter only while it has fewer than HF_LEDGER_MAX_DECLINED objects.
 * Remembering them saves repeated reports to the subscriber and lets the ledger recognise old versions. The room for
 * the other objects is reserved for those that the subscriber keeps. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_MAX_DECLINED = 10000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* no report: this version is reported already, or the object is gone already */
    HF_LEDGER_OLD,     /* ignore the event: it is older than the reported version */
    HF_LEDGER_GHOST,   /* ignore the event: the cloud has deleted the object, and only the MetaServer still has it */
    HF_LEDGER_UNSURE,  /* the event may come from the MetaServer's local store: request a LIST that the cloud answers */
};

struct hf_ledger {
    struct hf_strmap objects; /* name to struct ledger_entry */
    uint64_t baseline; /* behind a MetaServer: version of the latest LIST that the cloud answered (0 means none) */
    uint64_t highest;  /* highest version reported or sent in a bookmark */
    unsigned round;    /* number of the open round, or of the last one */
};

void hf_ledger_init(struct hf_ledger *ledger);
void hf_ledger_done(struct hf_ledger *ledger);

/* Records that the subscriber holds this object in an unknown version. Returns 0, -ENOMEM or -E2BIG (too many
 * objects). */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* Records that the subscriber does not keep the object. Each round that has the object then reports it again. If
 * `matters` is false and the ledger is more than half full, the ledger forgets the object. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* Takes an event of a real API server's watch; `deleted` is true for DELETED, and false for ADDED and MODIFIED. Sets
 * *ret_change to the report to make. After -ENOMEM or -E2BIG (too many objects) the ledger is unchanged. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* Takes an event of a MetaServer's watch. `live` is true if the event came from the cloud now, because there is
 * contact with the cloud and the stream no longer replays the MetaServer's store. */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round takes one complete list: hf_ledger_begin(), hf_ledger_item() for every object in the list, hf_ledger_end().
 * An item's change is UPSERT, NOTHING or OLD (the subscriber has a newer version). At the end, the ledger looks for
 * objects that were not among the items. If such an object is not newer than the list (`version`), the ledger calls
 * `gone` for it and forgets it. If `gone` is NULL, because the list may be wrong, no object is gone. A round that never
 * ends changes only the versions of the objects that it reported. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* Call when the server's history begins anew, below the versions that it sent before (a restored backup). The
 * ledger then accepts versions above `version` again. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);
