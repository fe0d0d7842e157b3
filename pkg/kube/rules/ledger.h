/* SPDX-License-Identifier: Apache-2.0 */
/* The reported objects of a kind, with versions. The ledger alone decides that an object is gone: after DELETED of
 * a real API server, or by a complete list that is certainly the API server's and not older than earlier answers.
 * Version 0: unknown. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/strmap.h"

/* Most objects for a node, and for a fleet's client. */
enum { HF_LEDGER_MAX_OBJECTS = 20000, HF_LEDGER_FLEET_OBJECTS = 250000 };

enum hf_ledger_change {
    HF_LEDGER_UPSERT,
    HF_LEDGER_GONE,
    HF_LEDGER_NOTHING, /* nothing new */
    HF_LEDGER_OLD,     /* older than reported: ignore it */
    HF_LEDGER_GHOST,   /* only in the MetaServer's store: ignore it */
    HF_LEDGER_UNSURE,  /* maybe only in the MetaServer's store: list from the cloud */
};

struct hf_ledger {
    struct hf_strmap objects;
    /* MetaServer: version of the cloud's last LIST, or of the resume */
    uint64_t baseline;
    uint64_t highest; /* highest version known from server or subscriber; a rewind lowers it */
    size_t max_objects;
    bool ending;
    unsigned round;
};

void hf_ledger_init(struct hf_ledger *ledger, size_t max_objects);
void hf_ledger_done(struct hf_ledger *ledger);

/* Records that the subscriber has the object in an unknown version. -E2BIG. */
HF_MUST_USE int hf_ledger_know(struct hf_ledger *ledger, const char *name);

/* Records which version the subscriber has. The object is reported once more, but not the older events that a watch
 * replays. */
void hf_ledger_hold(struct hf_ledger *ledger, const char *name, uint64_t version);

uint64_t hf_ledger_version(const struct hf_ledger *ledger, const char *name);

/* Makes the next list report the object again, even in the same version. Above half of max_objects the ledger
 * forgets an object that does not `matter`. */
void hf_ledger_decline(struct hf_ledger *ledger, const char *name, bool matters);

/* Takes an event of a real API server. After -ENOMEM or -E2BIG nothing has changed. */
HF_MUST_USE int hf_ledger_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                enum hf_ledger_change *ret_change);

/* Records that an unparsable object exists, so that the round does not count it as gone. Returns false if a newer
 * version was reported. */
bool hf_ledger_unreadable(struct hf_ledger *ledger, const char *name, uint64_t version);

/* Takes a MetaServer's event. `live`: the event came with contact, and after the replay of the store. */
HF_MUST_USE int hf_ledger_meta_event(struct hf_ledger *ledger, const char *name, uint64_t version, bool deleted,
                                     bool live, enum hf_ledger_change *ret_change);

/* A round compares a complete list: hf_ledger_begin(), hf_ledger_item() for each item, hf_ledger_end() with the list's
 * version. What the list lacks goes to `gone` and is forgotten, unless its version is newer than the list's. `gone`
 * NULL: the list may be wrong, and nothing is forgotten. */
void hf_ledger_begin(struct hf_ledger *ledger);
HF_MUST_USE int hf_ledger_item(struct hf_ledger *ledger, const char *name, uint64_t version,
                               enum hf_ledger_change *ret_change);
void hf_ledger_end(struct hf_ledger *ledger, uint64_t version, void (*gone)(void *arg, const char *name), void *arg);

/* Call when a restored server is at `version`: newer versions count as unknown. */
void hf_ledger_rewind(struct hf_ledger *ledger, uint64_t version);

/* Makes lists and events report all objects once more. */
void hf_ledger_renew(struct hf_ledger *ledger);
