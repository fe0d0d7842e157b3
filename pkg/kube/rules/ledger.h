/* kube/rules/ledger.h - which objects of one kind have been told, in which version: what an event or a complete answer changes.
 * Pure. Private to pkg/kube.
 *
 * The ledger is where DESIGN 3.10 is kept: it alone says that something is gone, and only at the end of a round that nothing
 * speaks against, or by a DELETED event of a real API server. Versions are numbers here (0: unknown); where a server's
 * resourceVersions are none, order is never concluded from them. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* Declined objects that do not matter are remembered only while there are fewer than HF_LEDGER_MAX_DECLINED in all: it makes lists
 * shorter for the subscriber and old versions recognisable. The rest of the room is for what the subscriber keeps. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_MAX_DECLINED = 10000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* told already, or gone already */
    HF_LEDGER_OLD,     /* older than what was told: not believed */
    HF_LEDGER_GHOST,   /* MetaServer's store remembers what the cloud has deleted: not believed */
    HF_LEDGER_UNSURE,  /* MetaServer: only a proven LIST can say: ask for one */
};

struct hf_ledger {
    struct hf_strmap objects; /* name to struct ledger_entry */
    uint64_t baseline;        /* MetaServer: version of the latest proven LIST, 0 none */
    uint64_t highest;         /* of all versions told, and of the marks */
    unsigned round;           /* the one that is open, or the last */
};

void hf_ledger_init(struct hf_ledger *ledger);
void hf_ledger_done(struct hf_ledger *ledger);

/* The subscriber holds this object, version unknown. -ENOMEM, -E2BIG. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* The subscriber does not keep it: the next round that has it tells it again, in whatever version. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* An event of a real API server's watch; `deleted`: DELETED, else ADDED or MODIFIED. In *ret_change what to tell; the ledger
 * has taken it in. -ENOMEM, -E2BIG (too many objects: nothing is taken in). */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* An event of a MetaServer's watch. `live`: it came from the cloud now (contact is proven, and the stream's replay is over). */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round: begin, every object that exists, end. An item's verdict is UPSERT, NOTHING or OLD (the subscriber has a newer one);
 * what was known before, is not newer than the answer (`version`) and was not among the items is then gone: `gone` is called
 * for each, and it is forgotten. Without `gone` (the answer is doubtful) nothing is. A round that is never ended has changed
 * nothing but the versions of what it told. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* The server's history begins anew below what it said before (a restored backup): believe its versions from here on. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);
